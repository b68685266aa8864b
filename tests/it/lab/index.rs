//! `trepang lab index` on the embedded network and folders of noise.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use trepang::lab::{IndexManifest, ShardFile};
use trepang_api::conformance::noise;

use crate::binary::{Home, write_png};
use crate::library::{activation, channel_mean, noise_picture};
use crate::pictures::png_of_sides;

/// A home with a data set of two classes of the network and one that it does not have.
fn home(pictures: u64) -> Home {
    let home = Home::new();
    for seed in 0..pictures {
        let class = ["n02321529", "n01443537", "gadgets"][(seed % 3) as usize];
        fs::create_dir_all(home.path(&format!("set/{class}"))).unwrap();
        write_png(&home.path(&format!("set/{class}/{seed:04}.png")), &noise_picture(seed, 64));
    }
    home
}

/// Every file below a folder, by path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

fn shard(home: &Home, path: &str) -> ShardFile {
    ShardFile::open(&home.path(path)).unwrap()
}

#[test]
fn a_row_is_a_picture_and_a_column_a_channel() {
    let home = home(12);
    let found = home.run("lab index set --layer block5_conv2,block4_conv1 --out index --json");
    assert!(found.stderr.contains("minivgg has no class gadgets"), "{found:?}");
    let manifest = IndexManifest::read(&home.path("index")).unwrap().unwrap();
    let layer = manifest.layer("block5_conv2").unwrap();
    let (shard, other) = (
        shard(&home, "index/block5_conv2/part-00000.parquet"),
        shard(&home, "index/block4_conv1/part-00000.parquet"),
    );
    let rows = shard.labelled_rows().unwrap();
    assert_eq!((rows.len(), other.len()), (12, 12));
    let names: Vec<&str> = rows.iter().map(|row| row.file.as_str()).collect();
    assert!(names.is_sorted() && names[0] == "gadgets/0002.png", "{names:?}");
    let row = rows.iter().position(|row| row.file == "n02321529/0003.png").unwrap();
    let label = &rows[row].label;
    assert_eq!((label.wnid.as_deref(), label.class), (Some("n02321529"), Some(31)));
    assert_eq!((rows[0].label.label.as_deref(), rows[0].label.class), (Some("gadgets"), None));
    let picture = noise_picture(3, 64);
    let expected = activation("block5_conv2", &picture);
    for channel in [0, 100, 255] {
        let mean = f64::from(shard.channel("mean", channel, layer).unwrap()[row].unwrap());
        assert!((mean - channel_mean(&expected, channel)).abs() < 1e-5, "channel {channel}");
        let plane = &expected.data()[16 * channel..16 * channel + 16];
        let (max, at) =
            (shard.channel("max", channel, layer).unwrap()[row], shard.places(channel, layer).unwrap()[row]);
        let largest = plane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert!(
            (max.unwrap() - largest).abs() < 1e-4 && (plane[at.unwrap() as usize] - largest).abs() < 1e-4
        );
    }
    let logits = activation("predictions", &picture);
    let first = (0..64).max_by(|&a, &b| logits.data()[a].total_cmp(&logits.data()[b]));
    assert_eq!(rows[row].label.predicted, first);
}

#[test]
fn an_index_that_was_killed_ends_as_one_that_was_not() {
    let home = home(360);
    let line = "lab index set --layer block4_conv1,block5_conv2 --full --out";
    assert_eq!(home.run(&format!("{line} whole")).code, Some(0));
    // Every second time it may first write something. Temporary files come and go meanwhile.
    let written = || {
        let folder = fs::read_dir(home.path("killed/block5_conv2")).into_iter().flatten().flatten();
        folder.map(|entry| entry.metadata().map_or(0, |meta| meta.len())).sum::<u64>()
    };
    for (round, moment) in noise(11, [8]).data().iter().enumerate() {
        let before = written();
        let running = home.start(&format!("{line} killed"));
        let begun = Instant::now();
        while round % 2 == 1 && written() <= before && begun.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis((50.0 + 50.0 * moment) as u64));
        drop(running);
    }
    let last = home.run(&format!("{line} killed --json"));
    assert!(last.code == Some(0) && !last.stdout.contains("\"resumed_at\":0,"), "{last:?}");
    let mut killed = files(&home.path("killed"));
    killed.remove(".lock");
    let whole = files(&home.path("whole"));
    assert_eq!(killed.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    assert!(killed == whole, "the bytes differ");
    let again = home.run(&format!("{line} killed --json"));
    assert!(again.stdout.contains("\"resumed_at\":360"), "{again:?}");
}

#[test]
fn an_interrupted_index_is_kept_and_goes_on() {
    let home = home(240);
    let line = "lab index set --layer block4_conv1 --out index";
    let running = home.start(line);
    while !home.path("index/index.json").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(60));
    running.signal("INT");
    let outcome = running.finish();
    let told = outcome.stderr.lines().last().unwrap_or_default();
    assert!(outcome.code == Some(1) && told.contains("interrupted after "), "{outcome:?}");
    let seen: u64 = told.split("after ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let json = home.run(&format!("{line} --json")).stdout;
    // It goes on at the batch that the picture is in.
    assert!(json.contains(&format!("\"resumed_at\":{}", seen - seen % 8)), "{seen} {json}");
    assert!(json.contains("\"pictures\":240"));
}

#[test]
fn damaged_files_are_skipped_and_a_damaged_shard_is_mended() {
    let home = home(30);
    fs::write(home.path("set/n02321529/0004.JPEG"), home.read("set/n02321529/0003.png")).unwrap();
    fs::write(home.path("set/gadgets/a,b.png"), "no picture").unwrap();
    fs::write(home.path("set/gadgets/cut.png"), &home.read("set/gadgets/0002.png")[..999]).unwrap();
    fs::write(
        home.path("set/gadgets/huge.png"),
        png_of_sides(home.read("set/gadgets/0002.png"), [30_000, 30_000]),
    )
    .unwrap();
    write_png(
        &home.path("set/gadgets/thin.png"),
        &trepang::engine::Picture { width: 600, height: 4, rgb: vec![0; 7200] },
    );
    let line = "lab index set --layer block5_conv2 --out index --json";
    let found = home.run(line);
    assert!(found.stdout.contains("\"pictures\":31,\"skipped\":4"), "{found:?}");
    let skipped = String::from_utf8(home.read("index/skipped.csv")).unwrap();
    assert!(
        skipped.starts_with("picture,file,reason\n") && skipped.contains("\"gadgets/a,b.png\""),
        "{skipped}"
    );
    for told in ["gadgets/cut.png ends early", "thin.png", "it has 30000 x 30000 pixels"] {
        assert!(skipped.contains(told), "{skipped}");
    }
    let place = home.path("index/block5_conv2/part-00000.parquet");
    let whole = fs::read(&place).unwrap();
    fs::write(&place, &whole[..whole.len() / 2]).unwrap();
    let mended = home.run(line);
    assert!(mended.stderr.contains("is damaged; its pictures are run again"), "{mended:?}");
    assert!(fs::read(&place).unwrap() == whole && mended.stdout.contains("\"resumed_at\":0"));
}

/// What an index has stays when it is asked for less, and what is asked for besides is added.
#[test]
fn columns_of_an_index_are_added_and_never_lost() {
    let home = home(9);
    let index =
        |flags: &str| home.run(&format!("lab index set --layer block5_conv2 --out index --json {flags}"));
    index("--full");
    let added = index("--relevance");
    assert!(added.stderr.contains("gets columns that the index does not have"), "{added:?}");
    assert!(!added.stderr.contains("damaged") && added.stdout.contains("\"resumed_at\":0"), "{added:?}");
    let before = files(&home.path("index"));
    let less = index("");
    assert!(less.stdout.contains("\"resumed_at\":9") && files(&home.path("index")) == before, "{less:?}");
    let manifest = IndexManifest::read(&home.path("index")).unwrap().unwrap();
    let layer = manifest.layer("block5_conv2").unwrap();
    assert!(layer.full && layer.relevance);
}

#[test]
fn who_reads_a_part_of_an_index_is_told() {
    let home = home(1100);
    home.run("lab index set --layer block5_conv2 --out index");
    assert!(home.run("lab examples --index index --channel 3 --json").stderr.is_empty());
    fs::remove_file(home.path("index/block5_conv2/part-00000.parquet")).unwrap();
    let none = home.run("lab examples --index index --channel 3 --json");
    assert!(none.stderr.contains("the first 0 of 1100 pictures"), "{none:?}");
}

#[test]
fn relevances_add_up_to_the_margin_less_the_bias() {
    let home = home(6);
    home.run("lab index set --layer block5_conv2 --relevance --out index");
    let manifest = IndexManifest::read(&home.path("index")).unwrap().unwrap();
    let layer = manifest.layer("block5_conv2").unwrap();
    let shard = shard(&home, "index/block5_conv2/part-00000.parquet");
    let rows = shard.labelled_rows().unwrap();
    let row = rows.iter().position(|row| row.file == "n02321529/0003.png").unwrap();
    let line = "lab attribute set/n02321529/0003.png --exact --layer block5_conv2 --class n02321529 --json";
    let attributed = home.json(line).remove(0);
    for entry in attributed["channels"].as_array().unwrap().iter().step_by(50) {
        let channel = entry["channel"].as_u64().unwrap() as usize;
        let kept = shard.channel("relevance", channel, layer).unwrap();
        assert!(kept[0].is_none(), "a picture without a class of the network");
        let apart = f64::from(kept[row].unwrap()) - entry["attribution"].as_f64().unwrap();
        assert!(apart.abs() < 1e-4, "channel {channel}: {apart}");
    }
}

#[test]
fn what_cannot_be_indexed_is_refused_in_one_sentence() {
    let home = home(3);
    fs::create_dir(home.path("empty")).unwrap();
    fs::create_dir(home.path("broken")).unwrap();
    fs::write(home.path("broken/a.png"), "no picture").unwrap();
    fs::write(home.path("numbers.txt"), "490\n361\n").unwrap();
    fs::write(home.path("others.txt"), "x.png n02321529\n").unwrap();
    fs::write(home.path("far.txt"), "0000.png 99\n").unwrap();
    fs::write(home.path("file"), "").unwrap();
    home.run("lab index set --layer block5_conv2 --out other");
    fs::write(home.path("more.txt"), "0000.png n02321529\n").unwrap();
    for (line, code, told) in [
        ("empty --layer block5_conv2 --out i", 1, "empty holds no picture"),
        ("nowhere --layer block5_conv2 --out i", 1, "nowhere"),
        ("file --layer block5_conv2 --out i", 2, "neither a folder nor a tar file"),
        ("broken --layer block5_conv2 --out i", 1, "none of the 1 pictures can be used"),
        ("set --layer block5_conv9 --out i", 2, "did you mean"),
        ("set --layer block5_conv2 --labels numbers.txt --out i", 2, "devkit"),
        ("set --layer block5_conv2 --labels others.txt --out i", 2, "names none of the pictures"),
        ("set --layer block5_conv2 --labels far.txt --out i", 2, "labelled 99, and minivgg has 64 classes"),
        ("set --layer block5_conv2 --labels more.txt --out other", 2, "an index of other pictures or labels"),
        ("set --layer block5_conv2 --upright --out other", 2, "framed otherwise"),
        ("set --layer block5_conv2 --out file", 1, "file"),
        ("set --out i", 2, "--layer"),
    ] {
        let outcome = home.run(&format!("lab index {line}"));
        let last = outcome.stderr.lines().last().unwrap_or_default();
        assert!(outcome.code == Some(code) && last.contains(told), "{line}: {outcome:?}");
    }
}
