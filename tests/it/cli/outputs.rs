//! Where `render` puts its pictures, what it prints, and what it refuses to replace.

use crate::binary::Home;

const LINE: &str = "render --layer block1_conv1 --size 32 --steps 2 --runs runs";

#[test]
fn stdout_takes_the_picture_and_nothing_else() {
    let home = Home::new();
    home.run(&format!("{LINE} --channel 4 -o a.png"));
    for stdout in ["-", "/dev/stdout"] {
        let output = home.command(&format!("{LINE} --channel 4 -o {stdout}")).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(output.stdout == home.read("a.png"), "{stdout}");
        for other in ["--channel 4 --json", "--channel 4 --seeds 2", "--channel 4,5"] {
            let outcome = home.run(&format!("{LINE} {other} -o {stdout}"));
            assert!(outcome.refusal(2).contains("stdout takes one picture"), "{outcome:?}");
        }
    }
    assert!(!home.path("-").exists());
}

#[test]
fn a_name_that_ends_in_a_slash_is_a_folder() {
    let home = Home::new();
    let done = home.json(&format!("{LINE} --channel 4 -o out/deep/ --json")).pop().unwrap();
    assert_eq!(done["output"], "out/deep/block1_conv1/4.png");
    let run = done["run"].as_str().unwrap();
    for how in ["--from out/deep/block1_conv1/4.png --runs runs".to_owned(), format!("--resume {run}")] {
        let done = home.json(&format!("render {how} -o again/ --json")).pop().unwrap();
        assert_eq!(done["output"], "again/block1_conv1/4.png");
        assert!(home.read("again/block1_conv1/4.png") == home.read("out/deep/block1_conv1/4.png"), "{how}");
    }
    home.json(&format!("{LINE} --channel 4,5 -o many.png/ --json"));
    assert!(home.path("many.png/block1_conv1/5.png").is_file());
}

#[test]
fn several_pictures_do_not_go_into_what_is_named_as_one() {
    let home = Home::new();
    for other in ["--channel 4,5", "--channel 4 --seeds 2"] {
        let outcome = home.run(&format!("{LINE} {other} -o many.png"));
        assert!(outcome.refusal(2).contains("many.png is the name of one picture"), "{outcome:?}");
    }
    std::fs::write(home.path("file"), "mine").unwrap();
    for output in ["--channel 4,5 -o file", "--channel 4 -o file/"] {
        let outcome = home.run(&format!("{LINE} {output}"));
        assert_eq!(outcome.refusal(2), "file is a file, and --output is to be a folder here");
    }
    assert!(!home.path("many.png").exists() && !home.path("runs").exists());
}

#[test]
fn quiet_prints_only_what_goes_wrong() {
    let home = Home::new();
    for line in ["--channel 4 -o a.png", "--channel 4,5 --seeds 2 -o out --sheet sheet.png"] {
        let outcome = home.run(&format!("{LINE} --quiet {line}"));
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "", ""));
    }
    assert!(home.path("a.png").is_file() && home.path("sheet.png").is_file());
    let wrong = home.run(&format!("{LINE} -q --channel 4000 -o b.png"));
    assert!(wrong.refusal(2).contains("no channel 4000"), "{wrong:?}");
    let both = home.run(&format!("{LINE} -q --json --channel 4 -o b.png"));
    assert!(both.refusal(2).contains("cannot be used with"), "{both:?}");
}

#[test]
fn no_clobber_keeps_every_file_that_is_there() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("out/block1_conv1")).unwrap();
    for file in ["a.png", "losses.csv", "sheet.png", "out/block1_conv1/5.png"] {
        let content = if file == "sheet.png" { "GIF89a" } else { "mine" };
        std::fs::write(home.path(file), content).unwrap();
    }
    for (line, file) in [
        ("--channel 4 -o a.png", "a.png is there already"),
        ("--channel 4 -o b.png --losses losses.csv", "losses.csv is there already"),
        ("--channel 4,5 -o out", "out/block1_conv1/5.png is there already"),
        ("--channel 4,5 -o out --sheet sheet.png", "out/block1_conv1/5.png and 1 more are there already"),
    ] {
        let outcome = home.run(&format!("{LINE} --no-clobber {line}"));
        assert!(outcome.refusal(2).contains(file), "{outcome:?}");
    }
    assert_eq!(home.read("a.png"), b"mine");
    assert!(!home.path("runs").exists(), "no run has begun");
    let free = home.run(&format!("{LINE} --no-clobber --channel 4 -o b.png"));
    assert_eq!(free.code, Some(0), "{free:?}");
}

#[test]
fn a_file_of_another_kind_is_never_replaced() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("out/block1_conv1")).unwrap();
    for file in ["thesis", "model.png", "notes.csv", "out/block1_conv1/5.png", "anim.gif"] {
        std::fs::write(home.path(file), "mine").unwrap();
    }
    for (line, file, what) in [
        ("--channel 4 -o thesis", "thesis", "no picture"),
        ("--channel 4 -o model.png", "model.png", "no picture"),
        ("--channel 4,5 -o out", "out/block1_conv1/5.png", "no picture"),
        ("--channel 4 -o a.png --sheet model.png", "model.png", "no picture"),
        ("--channel 4 -o a.png --gif anim.gif", "anim.gif", "no picture"),
        ("--channel 4 -o a.png --losses notes.csv", "notes.csv", "no table of losses"),
    ] {
        let outcome = home.run(&format!("{LINE} {line}"));
        let sentence = outcome.refusal(2);
        assert!(sentence.starts_with(&format!("{file} is there already and is {what}")), "{sentence}");
        assert_eq!(home.read(file), b"mine", "{line}");
    }
    assert!(!home.path("runs").exists(), "no run has begun");
    // What the command itself has written, and what is empty, is written again.
    std::fs::write(home.path("new"), "").unwrap();
    for _ in 0..2 {
        let line = "--channel 4 -o new --losses b.csv --gif b.gif --sheet b.png";
        assert_eq!(home.run(&format!("{LINE} {line}")).code, Some(0));
    }
    std::fs::create_dir(home.path("photos")).unwrap();
    std::fs::copy(home.path("b.png"), home.path("photos/b.png")).unwrap();
    let outcome = home.run("spectrum photos -o notes.csv");
    assert!(outcome.refusal(2).contains("no spectrum"), "{outcome:?}");
    for _ in 0..2 {
        assert_eq!(home.run("spectrum photos -o spectrum.toml").code, Some(0));
    }
    assert!(home.run("spectrum photos -o -").stdout.starts_with("# Mean magnitudes of 1 "));
}

#[test]
fn only_the_picture_goes_to_stdout() {
    let home = Home::new();
    for (flag, name) in [("--losses", "-"), ("--sheet", "-"), ("--gif", "-"), ("--losses", "/dev/stdout")] {
        let outcome = home.run(&format!("{LINE} --channel 4 -o a.png {flag} {name}"));
        assert_eq!(outcome.refusal(2), format!("{flag} cannot go to stdout, which only -o can; name a file"));
    }
    assert!(!home.path("-").exists() && !home.path("a.png").exists());
}

#[test]
fn seeds_end_with_the_last_one() {
    let home = Home::new();
    let last = u64::MAX;
    let outcome = home.run(&format!("{LINE} --channel 4 --seed {last} --seeds 2 -o out"));
    let sentence = format!("there are no 2 seeds from {last} on: the last one is {last}");
    assert_eq!(outcome.refusal(2), sentence);
    home.json(&format!("{LINE} --json --channel 4 --seed {} --seeds 2 -o out", last - 1));
    assert!(home.path(&format!("out/block1_conv1/4-seed{last}.png")).is_file());
}
