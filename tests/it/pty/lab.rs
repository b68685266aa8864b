//! The lab in the dashboard, beside what `trepang lab` says about the same picture and index.

use std::fs;

use super::Setup;
use crate::binary::{Home, write_png};
use crate::library::noise_picture;

/// The words on a screen, without the frames of panes.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_lab_says_what_the_command_says_and_shows_photographs() {
    let home = Home::new();
    for seed in 0..12 {
        let class = ["n02321529", "n01443537"][(seed % 2) as usize];
        fs::create_dir_all(home.path(&format!("set/{class}"))).unwrap();
        write_png(&home.path(&format!("set/{class}/{seed:02}.png")), &noise_picture(seed, 64));
    }
    home.json("lab index set --layer block5_conv2 --out lab --json");
    let setup = Setup::new(120, 40).runs(home.path("runs").to_str().unwrap());
    let mut terminal = setup.arg("--steps").arg("8").start();
    terminal.wait_for("finished");
    terminal.wait_for("saved in");
    terminal.send("L");
    let shown = terminal.wait_for("12 photographs by block5_conv2");
    assert!(shown.has("this picture") && shown.has("among photographs"), "{shown:?}");
    terminal.send("\x1b[F");
    terminal.wait_for(": n0");
    let run = fs::read_dir(home.path("runs")).unwrap().map(|entry| entry.unwrap().file_name());
    let run = run.map(|name| name.into_string().unwrap()).find(|name| name.starts_with("minivgg")).unwrap();
    let attribute = format!("lab attribute runs/{run}/image.png --layer block5_conv2 --exact --json");
    let said = home.json(&attribute).remove(0);
    let sentence = said["sentence"].as_str().unwrap();
    assert!(words(&shown.text()).contains(&words(sentence)), "{sentence}\n{shown:?}");
    terminal.send("\x1b");
    terminal.wait_for("layers");
    assert_eq!(terminal.quit().code, Some(0));
}
