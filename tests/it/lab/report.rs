//! `trepang lab report`.

use std::fs;
use std::process::Command;

use crate::binary::{Home, write_png};
use crate::library::noise_picture;
use crate::made_up::picture;

const LINE: &str = "lab report a.png --exact --layer block5_conv2 --channel 30 --class sea_cucumber";

fn home() -> Home {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    home
}

fn text(home: &Home, name: &str) -> String {
    String::from_utf8(home.read(name)).unwrap()
}

#[test]
fn a_report_without_an_index_says_how_to_make_one() {
    let home = home();
    let printed = home.json(&format!("{LINE} -o r.html --json")).remove(0);
    let (page, beside) = (text(&home, "r.html"), text(&home, "r.md"));
    let sentence = printed["sentence"].as_str().unwrap();
    assert!(page.contains("sea cucumber over") && beside.contains(sentence), "{beside}");
    for told in
        ["30 (this)", "first 20", "trepang lab index FOLDER --network minivgg --layer block5_conv2", "biases"]
    {
        assert!(page.contains(told) && beside.contains(told), "{told}: {beside}");
    }
    assert!(page.contains("data:image/png;base64,") && page.contains("<svg") && !page.contains("<script"));
    assert!(!page.contains("src=\"http") && !page.contains("href="), "it loads nothing");
}

#[test]
fn a_report_with_an_index_is_the_same_twice() {
    let home = home();
    for seed in 0..24 {
        let class = ["n02321529", "n01443537"][(seed % 2) as usize];
        fs::create_dir_all(home.path(&format!("set/{class}"))).unwrap();
        write_png(&home.path(&format!("set/{class}/{seed:02}.png")), &noise_picture(seed, 64));
    }
    home.json("lab index set --layer block5_conv2 --relevance --json");
    for name in ["r.html", "s.html"] {
        assert_eq!(home.run(&format!("{LINE} -o {name}")).code, Some(0));
    }
    assert!(home.read("r.html") == home.read("s.html") && home.read("r.md") == home.read("s.md"));
    let page = text(&home, "r.html");
    assert!(!page.contains("on 12 photographs"));
    home.json(&format!("{LINE} --on set/n02321529 -o o.html --json"));
    let with_photographs = text(&home, "o.md");
    assert!(with_photographs.contains("on 12 photographs of sea cucumber"), "{with_photographs}");
    // Nine photographs by each of two measures.
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 18);
    for told in [
        "goldfish",
        "(AUC)",
        "trepang lab distance",
        "trepang lab examples",
        "Mahalanobis",
        "the picture is ",
        "relevance to their own class",
    ] {
        assert!(page.contains(told), "{told}");
    }
    assert!(page.len() < 3_000_000);
}

#[test]
fn the_commands_of_a_report_can_be_typed() {
    let home = home();
    fs::rename(home.path("a.png"), home.path("it's a.png")).unwrap();
    let line = LINE.replace("a.png ", "");
    let mut command = home.command(&format!("{line} --seed 7 --against goldfish -o r.html"));
    assert!(command.arg("it's a.png").status().unwrap().success());
    let page = text(&home, "r.md");
    let asked =
        r"'it'\''s a.png' --network minivgg --layer block5_conv2 --class 31 --against goldfish --exact";
    for told in [
        format!("trepang lab report {asked} --channel 30 --seed 7"),
        format!("trepang lab attribute {asked}"),
    ] {
        assert!(page.contains(&told), "{told}: {page}");
    }
    // What the page says is what the shell runs.
    let command = page.lines().find(|line| line.starts_with("trepang lab report")).unwrap();
    let command = command.replacen("trepang", env!("CARGO_BIN_EXE_trepang"), 1);
    let mut shell = home.wrapped(Command::new("sh"), "-c");
    assert!(shell.arg(format!("{command} -o s.html")).status().unwrap().success(), "{command}");
    assert!(home.read("r.html") == home.read("s.html"));
}

#[test]
fn a_report_that_cannot_be_is_refused() {
    let home = home();
    for (line, told) in [
        (format!("{LINE} -o r.txt"), "has to end in .html"),
        (format!("{LINE} --index nowhere -o r.html"), "there is no index in nowhere"),
        (LINE.replace("30", "256") + " -o r.html", "has the channels 0 to 255"),
    ] {
        let outcome = home.run(&line);
        assert!(outcome.refusal(2).contains(told), "{line}: {outcome:?}");
        assert!(!home.path("r.html").exists());
    }
    assert!(home.run(&format!("{LINE} -o missing/r.html")).refusal(1).contains("missing"));
}
