//! `trepang lab seed` on small folders.

use std::fs;

use serde_json::Value;

use crate::binary::{Home, write_png};
use crate::library::noise_picture;

const LINE: &str = "lab seed a.png b.png --exact --class sea_cucumber --per-class 12 --perplexity 5";

/// A home with 14 pictures of each of three classes, and two pictures that are like none of them.
fn home() -> Home {
    let home = Home::new();
    for seed in 0..42 {
        let class = ["n02321529", "n01443537", "gadgets"][(seed % 3) as usize];
        fs::create_dir_all(home.path(&format!("set/{class}"))).unwrap();
        write_png(&home.path(&format!("set/{class}/{seed:02}.png")), &noise_picture(seed, 64));
    }
    for (name, level) in [("a.png", 0), ("b.png", 255)] {
        let mut picture = noise_picture(0, 64);
        picture.rgb.iter_mut().skip(60).for_each(|byte| *byte = level);
        write_png(&home.path(name), &picture);
    }
    home
}

fn rows(found: &Value, name: &str) -> Vec<u64> {
    found[name].as_array().unwrap().iter().map(|row| row["row"].as_u64().unwrap()).collect()
}

#[test]
fn the_last_rows_are_photographs_and_the_pictures_elsewhere() {
    let home = home();
    let line = format!("{LINE} --on set --layer block3_conv1");
    let found = home.json(&format!("{line} --json")).remove(0);
    // Two other classes by name, 12 each, then the pictures, then the class: as `[-2:]` and `[-100:-2]` are counted.
    assert_eq!((rows(&found, "pictures"), rows(&found, "stars")), (vec![24, 25], vec![36, 37]));
    assert_eq!((&found["rows"], &found["class"]), (&Value::from(38), &Value::from("n02321529")));
    let names = |name: &str, at: usize| found[name][at]["name"].as_str().unwrap().to_owned();
    assert_eq!(
        (names("stars", 0), names("stars", 1)),
        ("n02321529/30.png".into(), "n02321529/33.png".into())
    );
    assert_eq!((names("pictures", 0), names("pictures", 1)), ("a.png".into(), "b.png".into()));
    assert_eq!(found["stars"][0]["label"], "n02321529");
    let sentence = found["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("photographs of sea cucumber (row 36, n02321529/30.png, and row 37"),
        "{sentence}"
    );
}

#[test]
fn an_index_and_a_folder_give_the_same_layout() {
    let home = home();
    home.run("lab index set --layer block3_conv1 --out index --json");
    let [of_index, of_folder] = ["--index index", "--on set --layer block3_conv1"]
        .map(|from| home.json(&format!("{LINE} --others goldfish --json {from}")).remove(0));
    assert_eq!(rows(&of_index, "pictures"), [12, 13]);
    for (a, b) in [("stars", 0), ("stars", 1), ("pictures", 0)]
        .map(|(name, at)| (&of_index[name][at], &of_folder[name][at]))
    {
        assert_eq!((&a["row"], &a["name"]), (&b["row"], &b["name"]));
        assert_eq!(a["class_near_in_channels"], b["class_near_in_channels"]);
    }
}

#[test]
fn both_panels_are_of_one_layout() {
    let home = home();
    let line = format!("{LINE} --on set --layer block3_conv1 --seed 3");
    for name in ["x", "y"] {
        let run = home.run(&format!("{line} -o {name}.svg -o {name}.png"));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        assert!(
            run.stdout.contains("drawn as made") && run.stdout.contains(&format!("{name}.csv")),
            "{run:?}"
        );
    }
    for ending in ["svg", "png", "csv"] {
        assert_eq!(home.read(&format!("x.{ending}")), home.read(&format!("y.{ending}")), "{ending}");
    }
    let text = |name: &str| String::from_utf8(home.read(name)).unwrap();
    let (svg, csv) = (text("x.svg"), text("x.csv"));
    // Ten corners of a star, twice over, for two stars and the legend's in each panel.
    let stars = svg.matches("fill=\"#d55e00\"").count();
    assert_eq!((stars, svg.matches(">a.png<").count()), (6, 1), "only the right panel has the pictures");
    let counted = |ending: &str| csv.lines().filter(|line| line.contains(ending)).count();
    assert_eq!(
        (counted(",picture,nothing,"), counted(",class,picture,"), counted(",class,class,")),
        (2, 2, 10)
    );
    assert_eq!(csv.lines().next(), Some("row,name,label,is,drawn_as,x,y"));
}

#[test]
fn photographs_are_the_first_or_drawn_by_a_seed() {
    let home = home();
    let line = format!("{LINE} --on set --layer block3_conv1 --others goldfish");
    let names = |more: &str| {
        home.run(&format!("{line} {more} -o z.svg"));
        let csv = String::from_utf8(home.read("z.csv")).unwrap();
        csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (first, drawn) = (names(""), names("--seed 1"));
    assert!(first[..12].is_sorted() && first[0] == "n01443537/01.png", "{first:?}");
    assert!(first != drawn && drawn == names("--seed 1") && drawn.len() == first.len(), "{drawn:?}");
}

#[test]
fn a_photograph_that_cannot_be_read_is_replaced() {
    let home = home();
    fs::write(home.path("set/n02321529/00.png"), "no picture").unwrap();
    let run = home.run(&format!("{LINE} --on set --layer block3_conv1 --json"));
    assert!(run.code == Some(0) && run.stderr.contains("left out: n02321529/00.png"), "{run:?}");
    assert!(run.stdout.contains("n02321529/36.png"), "the thirteenth came in: {run:?}");
}

#[test]
fn replays_that_cannot_be_are_refused() {
    let home = home();
    fs::create_dir_all(home.path("empty")).unwrap();
    fs::create_dir_all(home.path("one/n02321529")).unwrap();
    write_png(&home.path("one/n02321529/a.png"), &noise_picture(1, 64));
    let on = format!("{LINE} --on set --layer block3_conv1");
    for (line, code, sentence) in [
        (format!("{LINE} --on one --layer block3_conv1"), 2, "one has photographs of one class only"),
        (format!("{LINE} --on empty --layer block3_conv1"), 1, "empty holds no picture"),
        (format!("{LINE} --on set"), 2, "name a layer with --layer"),
        (
            on.replace("--per-class 12", ""),
            2,
            "set has 14 photographs of gadgets, and 100 are asked for; choose --per-class 14",
        ),
        (
            on.replace("--per-class 12", "--per-class 2"),
            2,
            "there must be more of those than of the pictures",
        ),
        (on.replace("sea_cucumber", "tench"), 2, "no photograph of set is of the class tench"),
        (on.replace("--perplexity 5", ""), 2, "needs 92 rows at least, and these are 38"),
        (format!("{LINE} --index nowhere"), 2, "there is no index in nowhere"),
        (on.replace("b.png", "c.png"), 1, "c.png"),
    ] {
        let run = home.run(&line);
        assert!(run.refusal(code).contains(sentence), "{line}: {}", run.stderr);
    }
}
