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
        std::fs::write(home.path(file), "mine").unwrap();
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
