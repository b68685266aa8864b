//! `--network FILE.onnx`: a network of the user's own, described, visualised, and found again.

use std::fs;
use std::path::Path;

use crate::binary::Home;
use crate::library::{repository, write_weights};

const SHORT: &str = "--channel 3 --size 32 --steps 3 --set views=2 -q";

/// A home with a network as PyTorch exports it, and one that is cut off.
fn home() -> Home {
    let home = Home::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/tests/fixtures/onnx");
    for name in ["beside.onnx", "beside.onnx.data", "gray-new.onnx", "half.onnx"] {
        fs::copy(fixtures.join(name), home.path(name)).unwrap();
    }
    home
}

fn ends_well(home: &Home, line: &str) {
    let outcome = home.run(line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
}

#[test]
fn info_says_what_a_file_holds_and_what_is_cut_off() {
    let home = home();
    let about = home.json("info beside.onnx --json").remove(0);
    assert_eq!((&about["classes"], &about["size"]), (&5.into(), &32.into()));
    assert!(about["preprocessing"].is_null() && about["cut"].as_array().unwrap().is_empty(), "{about}");
    assert_eq!(about["layers"][1]["name"], "relu");
    let gray = home.run("info gray-new.onnx").stdout;
    assert!(gray.contains("for gray pictures") && gray.contains("cut off         node"), "{gray}");
    assert!(gray.contains("its input takes RGB of 0..255"), "{gray}");
}

#[test]
fn a_picture_finds_its_onnx_file_again() {
    let home = home();
    let render =
        |flags: &str| format!("render --network beside.onnx --layer layer1.0 {SHORT} -o a.png {flags}");
    let outcome = home.run(&render(""));
    assert!(outcome.refusal(2).contains("does not say what its pixels are: pass --input torch"));
    ends_well(&home, &render("--input torch"));
    ends_well(&home, &render("")); // it is remembered
    ends_well(&home, "render --from a.png -o b.png -q");
    assert_eq!(home.read("a.png"), home.read("b.png"));
    fs::rename(home.path("beside.onnx"), home.path("moved.onnx")).unwrap();
    let moved = home.run("render --from a.png -o c.png -q");
    assert!(moved.refusal(1).contains("name its new path with --weights"), "{moved:?}");
    ends_well(&home, "render --from a.png --network moved.onnx -o c.png -q");
    assert_eq!(home.read("a.png"), home.read("c.png"));
    let other = home.run("render --from a.png --network half.onnx -o d.png -q");
    assert!(other.refusal(2).contains("the weights are not those of that run"), "{other:?}");
}

#[test]
fn a_file_that_is_no_network_is_told_as_what_it_is() {
    let home = home();
    fs::write(home.path("zeros.onnx"), [0; 4096]).unwrap();
    fs::write(home.path("picture.onnx"), b"\x89PNG\r\n\x1a\n").unwrap();
    write_weights(&home.path("weights.onnx"), &trepang_weights::minivgg().unwrap().weights);
    let refused = |file: &str, code| {
        let line = format!("render --network {file} --input unit --layer a {SHORT} -o a.png");
        home.run(&line).refusal(code).to_owned()
    };
    for file in ["zeros.onnx", "picture.onnx"] {
        let words = refused(file, 2);
        assert!(words.contains(&format!("{file} is no network: it begins with")), "{words}");
    }
    assert!(refused("weights.onnx", 2).contains("holds weights and no network"));
    // A part of its weights is missing, and its classes with them.
    let data = home.read("beside.onnx.data");
    fs::write(home.path("beside.onnx.data"), &data[..data.len() / 2]).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/start-64.png"), home.path("p.png"))
        .unwrap();
    let words = home.run("predict --network beside.onnx --input torch p.png").refusal(1).to_owned();
    assert!(
        words.contains("its classes cannot be computed") && words.contains("do not belong together"),
        "{words}"
    );
}

#[test]
fn a_layer_that_is_not_there_says_why() {
    let home = home();
    let layer = |file: &str, layer: &str| {
        let line = format!("render --network {file} --input unit --layer {layer} {SHORT} -o a.png");
        home.run(&line).refusal(2).to_owned()
    };
    assert!(layer("beside.onnx", "conv1").contains("\"bn1\" is the output of both"));
    assert!(
        layer("gray-new.onnx", "sin")
            .contains("(Sin) is none of the operations known here; the last layer is")
    );
}

/// Files of other programs, and the second of the lines that export what is in them.
const OTHER_PROGRAMS: [(&str, &str); 6] = [
    ("graph_def.pb", "`python -m tf2onnx.convert --graphdef \"graph_def.pb\""),
    ("k3.weights.h5", "`model(model.inputs); model.export(\"model.onnx\", format=\"onnx\")`"),
    (
        "k3_legacy_model.h5",
        "`model = keras.models.load_model(\"k3_legacy_model.h5\")` and `model(model.inputs);",
    ),
    (
        "legacy_v1.pth",
        "`model.eval()` and `torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), \"model.onnx\")`",
    ),
    ("model.tflite", "`pip install tf2onnx` and `python -m tf2onnx.convert --tflite \"model.tflite\""),
    ("saved", "`python -m tf2onnx.convert --saved-model \"saved\" --output model.onnx`"),
];

#[test]
fn models_of_other_programs_say_how_they_become_onnx() {
    let home = Home::new();
    for name in ["graph_def.pb", "k3.weights.h5", "k3_legacy_model.h5", "legacy_v1.pth"] {
        fs::copy(repository("weights/tests/fixtures").join(name), home.path(name)).unwrap();
    }
    fs::write(home.path("model.tflite"), b"\x1c\0\0\0TFL3\x14\0\x20\0").unwrap();
    fs::create_dir(home.path("saved")).unwrap();
    fs::write(home.path("saved/saved_model.pb"), b"\x08\x01\x12\x04\x0a\x02\x12\x00").unwrap();
    for (file, lines) in OTHER_PROGRAMS {
        let outcome = home.run(&format!("render --network {file} --layer a {SHORT} -o a.png"));
        let words = outcome.refusal(2);
        assert!(words.contains(lines) && words.ends_with("and pass model.onnx with --network"), "{words}");
    }
    let words = home.run("render --network saved/saved_model.pb --layer a -o a.png").refusal(2).to_owned();
    assert!(words.contains("--saved-model \"saved\""), "{words}");
}

#[test]
fn weights_of_no_known_network_say_how_it_becomes_onnx() {
    let home = Home::new();
    for name in ["k3_legacy_model.h5", "legacy_v1.pth"] {
        fs::copy(repository("weights/tests/fixtures").join(name), home.path(name)).unwrap();
    }
    let line = "render --network vgg16 --weights k3_legacy_model.h5 --layer block1_conv1 -o a.png";
    let words = home.run(line).refusal(1).to_owned();
    assert!(words.contains("load_model(\"k3_legacy_model.h5\")"), "{words}");
    let about = home.run("info legacy_v1.pth").stdout;
    assert!(
        about.contains("as ONNX         model.eval()\n") && about.contains("torch.onnx.export("),
        "{about}"
    );
    let about = home.json("info k3_legacy_model.h5 --json").remove(0);
    assert_eq!(
        about["export"][0],
        "model = keras.models.load_model(\"k3_legacy_model.h5\")"
            .replace("k3_legacy_model.h5", about["path"].as_str().unwrap())
    );
}
