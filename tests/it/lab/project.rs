//! `trepang lab project` on a small index.

use std::fs;

use serde_json::Value;

use crate::binary::{Home, write_png};
use crate::library::noise_picture;

/// A home with 24 pictures of two classes, an index of them, and one of them beside it.
fn home() -> Home {
    let home = Home::new();
    for seed in 0..24 {
        let class = ["n02321529", "n01443537"][(seed % 2) as usize];
        fs::create_dir_all(home.path(&format!("set/{class}"))).unwrap();
        write_png(&home.path(&format!("set/{class}/{seed:02}.png")), &noise_picture(seed, 64));
    }
    write_png(&home.path("a picture.png"), &noise_picture(5, 64));
    fs::rename(home.path("a picture.png"), home.path("a.png")).unwrap();
    home.json("lab index set --layer block3_conv1 --json");
    home
}

fn of<'a>(found: &'a Value, kind: &str) -> Vec<&'a Value> {
    let points = found["points"].as_array().unwrap().iter();
    points.filter(|point| point["kind"] == kind).collect()
}

#[test]
fn a_picture_lies_where_its_photograph_does() {
    let home = home();
    let found = home.json("lab project a.png --exact --baselines 3 --json").remove(0);
    assert_eq!(
        (of(&found, "photograph").len(), of(&found, "noise").len(), of(&found, "phases").len()),
        (24, 3, 3)
    );
    let own = of(&found, "picture")[0];
    let same =
        of(&found, "photograph").into_iter().find(|point| point["name"] == "n01443537/05.png").unwrap();
    // The index keeps single precision, and a batch sums in another order.
    for axis in 0..2 {
        let apart = own["place"][axis].as_f64().unwrap() - same["place"][axis].as_f64().unwrap();
        assert!(apart.abs() < 1e-5, "{own} {same}");
    }
    assert_eq!(own["nearest"]["file"], "n01443537/05.png");
    assert!(own["nearest"]["cosine"].as_f64().unwrap() > 0.99999);
    let shares = found["variance_shares"].as_array().unwrap();
    assert!(shares[0].as_f64() > shares[1].as_f64() && shares[0].as_f64() < Some(1.0));
}

#[test]
fn a_figure_has_its_table_beside_it_and_comes_again() {
    let home = home();
    let line = "lab project a.png --exact --baselines 2 --classes goldfish";
    for name in ["x", "y"] {
        let run = home.run(&format!("{line} -o {name}.svg -o {name}.png"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.contains("random phases") && run.stdout.contains(&format!("{name}.csv")));
    }
    for ending in ["svg", "png", "csv"] {
        assert_eq!(home.read(&format!("x.{ending}")), home.read(&format!("y.{ending}")), "{ending}");
    }
    let (svg, csv) =
        ["svg", "csv"].map(|ending| String::from_utf8(home.read(&format!("x.{ending}"))).unwrap()).into();
    assert!(svg.contains(">goldfish, n = 12<") && svg.contains(">other photographs, n = 12<"), "{svg}");
    assert!(svg.contains("trepang lab project a.png --exact --baselines 2 --classes goldfish"), "{svg}");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("kind,name,label,step,x,y,beside,nearest,nearest_label,nearest_cosine"));
    assert_eq!(lines.count(), 24 + 1 + 4);
}

#[test]
fn a_trajectory_goes_from_the_start_to_the_picture() {
    let home = home();
    home.json("render --layer block3_conv1 --channel 3 --size 64 --steps 12 --json -o b.png");
    let found = home.json("lab project b.png --exact --baselines 0 --trajectory b.png --json").remove(0);
    let steps = of(&found, "step");
    let taken: Vec<u64> = steps.iter().map(|point| point["step"].as_u64().unwrap()).collect();
    assert_eq!(taken, [0, 5, 10, 12]);
    let (last, own) = (steps[3], of(&found, "picture")[0]);
    assert_eq!((&last["place"], &last["beside"]), (&own["place"], &own["beside"]));
    assert_ne!(steps[0]["place"], own["place"]);
}

#[test]
fn a_layout_by_tsne_holds_photographs_and_pictures() {
    let home = home();
    let line = "lab project a.png --exact --method tsne --perplexity 5 --baselines 0 --json";
    let found = home.json(line).remove(0);
    assert_eq!(found, home.json(line).remove(0));
    let (own, points) = (of(&found, "picture")[0], of(&found, "photograph"));
    let from = |point: &Value| {
        let along =
            |axis: usize| point["place"][axis].as_f64().unwrap() - own["place"][axis].as_f64().unwrap();
        along(0).hypot(along(1))
    };
    let distances: Vec<f64> = points.iter().map(|point| from(point)).collect();
    let nearest = (0..24).min_by(|&a, &b| distances[a].total_cmp(&distances[b])).unwrap();
    assert_eq!(points[nearest]["name"], "n01443537/05.png", "{distances:?}");
    assert!(found["divergence"].as_f64().unwrap() > 0.0 && own["beside"].is_null());
}

#[test]
fn projections_that_cannot_be_are_refused() {
    let home = home();
    for (line, code, sentence) in [
        ("lab project --method tsne", 2, "needs 92 photographs at least, and the index has 24"),
        ("lab project a.png --classes tench", 2, "no photograph of the index is of the class tench"),
        ("lab project -o x.csv", 2, "name the figure, as in x.svg"),
        ("lab project --index nowhere", 2, "there is no index in nowhere"),
        ("lab project --others set/nothing", 1, "cannot read the folder set/nothing"),
        ("lab project --perplexity 1", 2, "a number from 2 to 1000"),
        ("lab project --trajectory a.png", 1, "a.png"),
    ] {
        let run = home.run(line);
        assert_eq!(run.code, Some(code), "{line}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{line}: {}", run.stderr);
    }
}
