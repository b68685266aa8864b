//! `trepang lab means`.

use crate::binary::{Home, write_png};
use crate::library::{activation, channel_mean, noise_picture};

const LINE: &str = "lab means a.png --exact --layer block3_conv1";

fn home() -> Home {
    let home = Home::new();
    write_png(&home.path("a.png"), &noise_picture(3, 64));
    home
}

#[test]
fn every_channel_has_its_mean() {
    let home = home();
    let found = home.json(&format!("{LINE} --channel 5 --json")).remove(0);
    let expected = activation("block3_conv1", &noise_picture(3, 64));
    let means: Vec<f64> =
        found["means"].as_array().unwrap().iter().map(|mean| mean.as_f64().unwrap()).collect();
    assert_eq!(means.len(), 96);
    for channel in [0, 5, 95] {
        assert!((means[channel] - channel_mean(&expected, channel)).abs() < 1e-4, "{channel}");
    }
    let higher = means.iter().filter(|mean| **mean > means[5]).count();
    assert_eq!((&found["rank"], &found["order"][3]), (&(higher + 1).into(), &3.into()));
}

#[test]
fn bars_are_drawn_in_order_or_sorted_and_come_again() {
    let home = home();
    for name in ["x", "y"] {
        let run = home.run(&format!("{LINE} --channel 5 --sorted -o {name}.svg -o {name}.png"));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        assert!(
            run.stdout.contains("channel 5 is number ") && run.stdout.contains(&format!("{name}.csv")),
            "{run:?}"
        );
    }
    for ending in ["svg", "png", "csv"] {
        assert_eq!(home.read(&format!("x.{ending}")), home.read(&format!("y.{ending}")), "{ending}");
    }
    let text = |name: &str| String::from_utf8(home.read(name)).unwrap();
    let svg = text("x.svg");
    assert_eq!((svg.matches("<polygon").count(), svg.matches("fill=\"#d55e00\"").count()), (96, 1));
    assert!(
        svg.contains("trepang lab means a.png --exact --layer block3_conv1 --channel 5 --sorted"),
        "{svg}"
    );
    let means: Vec<f64> =
        text("x.csv").lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert!(means.len() == 96 && means.is_sorted_by(|a, b| a >= b), "{means:?}");
    assert_eq!(text("x.csv").lines().filter(|line| line.ends_with(",true")).count(), 1);
    home.run(&format!("{LINE} -o z.svg"));
    assert!(text("z.csv").starts_with("channel,mean,max,marked\n0,") && !text("z.svg").contains("#d55e00"));
}

#[test]
fn means_that_cannot_be_are_refused() {
    let home = home();
    for (line, code, sentence) in [
        (format!("{LINE} --channel 96"), 2, "block3_conv1 has the channels 0 to 95, and 96 is none of them"),
        (LINE.replace("block3", "block9"), 2, "block9_conv1"),
        (format!("{LINE} -o x.csv"), 2, "name the figure, as in x.svg"),
        (LINE.replace("a.png", "b.png"), 1, "b.png"),
    ] {
        let run = home.run(&line);
        assert!(run.refusal(code).contains(sentence), "{line}: {}", run.stderr);
    }
}
