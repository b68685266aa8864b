//! The user's `config.toml`: what it sets, what is typed instead, and what is wrong in it.

use std::fs;

use crate::binary::{Home, Outcome};

/// A home with this configuration.
fn home(text: &str) -> Home {
    let home = Home::new();
    fs::create_dir_all(home.path(".config/trepang")).unwrap();
    fs::write(home.path(".config/trepang/config.toml"), text).unwrap();
    home
}

/// The line of what is printed that begins with this name.
fn line<'a>(outcome: &'a Outcome, name: &str) -> &'a str {
    let begin = format!("{name} = ");
    outcome
        .stdout
        .lines()
        .find(|line| line.starts_with(&begin))
        .unwrap_or_else(|| panic!("{name}: {outcome:?}"))
}

#[test]
fn every_value_is_printed_with_where_it_came_from() {
    let home = home("size = 96 # small\n\nimage-protocol = \"kitty\"\n[keys]\nqueue = \"Q\"\n");
    let printed = home.run("config --print --image-protocol none");
    let has = |name: &str, parts: &[&str]| {
        let line = line(&printed, name);
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    };
    has("size", &["96", "# file, line 1"]);
    has("image-protocol", &["\"none\"", "# argument"]);
    has("network", &["\"minivgg\"", "# default"]);
    has("runs", &["trepang/runs\"", "# environment, XDG_DATA_HOME"]);
    has("queue", &["[\"Q\"]", "# file, line 5"]);
    has("quit", &["[\"q\"]", "# default"]);
    has("next-layer", &["[\">\"]", "# default: next layer"]);
    let path = home.run("config --path").stdout;
    assert_eq!(path.trim_end(), home.path(".config/trepang/config.toml").display().to_string());
}

#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let home = home("size = 96\n[keys]\nqueue = \"Q\"\nundo = []\nstart = [\"enter\", \"ctrl-s\"]\n");
    let first = home.run("config --print").stdout;
    fs::write(home.path(".config/trepang/config.toml"), &first).unwrap();
    let values = |text: &str| {
        let value = |line: &str| line.split("  # ").next().unwrap_or_default().trim_end().to_owned();
        text.lines().filter(|line| line.contains(" = ")).map(value).collect::<Vec<_>>()
    };
    let again = home.run("config --print").stdout;
    assert_eq!(values(&first), values(&again));
    assert!(again.contains("queue = [\"Q\"]") && again.contains("undo = []"), "{again}");
}

#[test]
fn the_file_stands_for_flags_that_were_not_typed() {
    let home = home("size = 32\nsteps = 2\nrecipe = \"pixel\"\nruns = \"~/mine\"\n");
    let line = "render --layer block1_conv1 --channel 4 -o a.png --json";
    let result = |line: &str| home.json(line).pop().unwrap();
    let of_file = result(line);
    assert_eq!(
        (&of_file["size"], &of_file["steps"], &of_file["recipe"]),
        (&32.into(), &2.into(), &"pixel".into()),
        "{of_file}"
    );
    assert_eq!(fs::read_dir(home.path("mine")).unwrap().count(), 1);
    assert_eq!(home.json("runs --json").len(), 1, "the folder of the file");
    let typed = result(&format!("{line} --size 48"));
    assert_eq!((&typed["size"], &typed["steps"]), (&48.into(), &2.into()));
    // A picture is made again as it was, whatever the file says now.
    fs::write(home.path(".config/trepang/config.toml"), "size = 64\nnetwork = \"vgg16-trunk\"\n").unwrap();
    assert_eq!(home.run("render --from a.png -o b.png").code, Some(0));
    assert_eq!(home.read("a.png").len(), home.read("b.png").len());
}

#[test]
fn a_mistake_is_one_sentence_with_file_and_line() {
    for (text, place, part) in [
        ("sizze = 3", "config.toml, line 1", "did you mean \"size\""),
        ("size = 3\ndevice = \"gpu\"", "config.toml, line 2", "device is"),
        ("[keys]\nquiet = \"x\"", "config.toml, line 2", "there is no command \"quiet\""),
        ("[keys]\nqueue = \"f1\"", "config.toml, line 2", "there is no key \"f1\""),
        (
            "[keys]\nqueue = \"q\"",
            "config.toml, line 2",
            "the key q runs both queue and quit, where it is the default",
        ),
        (
            "[keys]\nqueue = \"w\"\nundo = \"w\"",
            "config.toml, line 3",
            "the key w runs both undo and queue, of line 2",
        ),
        ("[keys]\nqueue = \"ctrl-c\"", "config.toml, line 2", "always quits"),
    ] {
        let home = home(text);
        for line in ["config --print", "--layer block1_conv1"] {
            let outcome = home.run(line);
            let sentence = outcome.refusal(2);
            assert!(sentence.contains(place) && sentence.contains(part), "{text}: {sentence}");
        }
        // Help, and where the file is, are needed most when it is wrong.
        assert_eq!(home.run("config --path").code, Some(0));
    }
    let home = home("");
    fs::write(home.path(".config/trepang/config.toml"), b"size = 3\n# \xff\n").unwrap();
    assert!(home.run("runs").refusal(2).contains("line 2: it is not UTF-8"));
}
