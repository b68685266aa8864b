//! The command that a picture's text leads to, run by a shell: it makes the same bytes, with whatever flags.

use std::path::Path;

use trepang::runs::{Origin, read_origin, render_command};

use crate::binary::{Home, write_png};
use crate::library::{noise_picture, with_tensor, write_weights};

const SMALL: &str = "--size 32 --steps 3";

/// Runs a command in a shell, which finds the program by its name, and returns the file that it wrote.
fn shell(home: &Home, words: &[String]) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_BIN_EXE_trepang")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = home.wrapped(std::process::Command::new("/bin/sh"), "");
    let output = command.env("PATH", path).args(["-c", &words.join(" ")]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    home.read(words.last().unwrap())
}

#[test]
fn the_command_makes_the_same_bytes_in_a_shell() {
    let home = Home::new();
    write_png(&home.path("it's $HOME.png"), &noise_picture(4, 32));
    let other = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[5] += 0.5);
    write_weights(&home.path("other.safetensors"), &other.weights);
    // A configuration that says otherwise changes nothing.
    std::fs::create_dir_all(home.path(".config/trepang")).unwrap();
    let config = "recipe = \"maco\"\nsize = 48\nsteps = 9\nthreads = 2\n";
    for flags in [
        "--layer block2_conv1 --channel 5",
        "--layer block2_conv1:pre --channel 5 --set optimizer.rate=0.03 --set views=2 --seed 18446744073709551615",
        "--layer block2_conv1 --neuron 5,3,2 --threads 1 --recipe pixel --init gray",
        "--logit 31 --recipe original",
        "--objective channel(block2_conv1,4)-0.5*tv(0.001) --recipe maco",
        "--layer block2_conv1 --recipe caricature --init PICTURE",
        "--layer block2_conv1 --recipe dream --init PICTURE --set octaves.count=2",
        "--layer block2_conv1 --channel 3 --recipe accentuate --init PICTURE",
        "--layer block2_conv1 --channel 5 --weights other.safetensors --backend reference",
    ] {
        let mut command = home.command(&format!("render {SMALL} --quiet -o first.png"));
        command.args(flags.split(' ').map(|flag| flag.replace("PICTURE", "it's $HOME.png")));
        assert!(command.status().unwrap().success(), "{flags}");
        let words = render_command(&read_origin(&home.path("first.png")).unwrap(), None).unwrap();
        std::fs::write(home.path(".config/trepang/config.toml"), config).unwrap();
        assert!(shell(&home, &words) == home.read("first.png"), "{flags}: {words:?}");
        std::fs::remove_file(home.path(".config/trepang/config.toml")).unwrap();
    }
}

#[test]
fn what_no_flags_can_say_is_made_from_the_file() {
    let home = Home::new();
    home.json(&format!("render --layer block2_conv1 --channel 5 {SMALL} --json -o first.png"));
    let mut origin: Origin = read_origin(&home.path("first.png")).unwrap();
    let change = trepang::engine::Change {
        step: 2,
        objective: origin.plan.objective.clone(),
        recipe: trepang::engine::Recipe::named("pixel").unwrap(),
    };
    origin.plan.changes.push(change);
    let refused = render_command(&origin, None).unwrap_err();
    assert!(refused.contains("once the run is saved"), "{refused}");
    let words = render_command(&origin, Some(Path::new("first.png"))).unwrap();
    assert_eq!(words[..4], ["trepang", "render", "--from", "first.png"]);
    assert!(shell(&home, &words) == home.read("first.png"));
}
