//! `trepang pull` and `trepang info`, without a network: what is listed, imported, refused.

use std::fs;

use crate::binary::Home;
use crate::library::repository;

#[test]
fn the_list_names_every_set_with_its_size_licence_and_source() {
    let home = Home::new();
    let lines = home.json("pull --list --json");
    let sets = lines[0].as_array().unwrap();
    for name in
        ["vgg19", "vgg19+top", "vgg16-trunk", "efficientnet_lite0", "resnet50-torchvision", "vgg19-timm"]
    {
        let set =
            sets.iter().find(|set| set["name"] == name).unwrap_or_else(|| panic!("{name} is not listed"));
        assert!(set["megabytes"].as_u64().unwrap() > 10 && set["pulled"] == false, "{set}");
        assert!(!set["licence"].as_str().unwrap().is_empty() && !set["source"].as_str().unwrap().is_empty());
    }
    let hash = |name: &str| sets.iter().find(|set| set["name"] == name).unwrap()["hash"].clone();
    assert!(hash("resnet18").as_str().unwrap().starts_with("prefix:") && hash("clip_rn50").is_null());
    let stdout = home.run("pull --list").stdout;
    let line = stdout.lines().find(|line| line.starts_with("resnet50-robust ")).unwrap();
    assert!(line.ends_with("no published hash: the host's own is checked"), "{line}");
    assert!(stdout.contains("vgg19+top") && stdout.contains("575 MB"), "{stdout}");
}

#[test]
fn a_pull_that_cannot_be_says_why_and_what_to_do() {
    let home = Home::new();
    fs::write(home.path("short.h5"), [0; 1000]).unwrap();
    for (line, code, part) in [
        ("pull vgg20", 2, "there are no weights \"vgg20\"; those that can be pulled are: vgg19, vgg19+top"),
        ("pull", 2, "NAME"),
        ("pull vgg19 --offline", 1, "trepang pull vgg19 --from FILE"),
        ("pull vgg19 --from nowhere.h5", 1, "nowhere.h5"),
        (
            "pull vgg19 --from short.h5",
            1,
            "1000 bytes long and 80134624 were expected; to use short.h5 as it is",
        ),
        ("pull vgg19 --from .", 1, "is not a regular file"),
        ("pull vgg19 vgg16 --from short.h5", 2, "name exactly one"),
        ("pull vgg19 --mirror nonsense", 2, "is no address to fetch from"),
    ] {
        let outcome = home.run(line);
        assert!(outcome.refusal(code).contains(part), "{line}: {outcome:?}");
    }
    assert!(!home.path(".cache/trepang/weights/vgg19.safetensors").exists());
}

#[test]
fn what_has_not_been_pulled_says_how_to_get_it() {
    let home = Home::new();
    for line in ["render --network vgg19 --layer block5_conv4 --channel 4 -o a.png", "info vgg19"] {
        let outcome = home.run(line);
        assert!(outcome.refusal(1).contains("`trepang pull vgg19` fetches it (80 MB)"), "{outcome:?}");
    }
    let outcome = home.run("predict --network vgg19 a.png");
    assert!(outcome.refusal(1).contains("`trepang pull vgg19+top` fetches it (575 MB)"), "{outcome:?}");
    let outcome = home.run("predict --network vgg16-trunk a.png");
    assert!(outcome.refusal(2).contains("has no classifier"), "{outcome:?}");
}

#[test]
fn info_tells_what_a_file_is_and_which_network_it_fits() {
    let home = Home::new();
    fs::copy(repository("weights/minivgg/minivgg.safetensors"), home.path("a.bin")).unwrap();
    let about = home.json("info a.bin --json").swap_remove(0);
    assert_eq!((about["format"].as_str(), about["network"].as_str()), (Some("safetensors"), Some("minivgg")));
    assert_eq!((about["classifier"].as_bool(), about["parameters"].as_u64()), (Some(true), Some(1_483_760)));
    assert_eq!(about["tensors"].as_array().unwrap().len(), 18);
    let built_in = home.json("info minivgg --json").swap_remove(0);
    assert_eq!(built_in["preprocessing"], about["preprocessing"]);

    fs::copy(repository("weights/tests/fixtures/legacy_v1.pth"), home.path("b.bin")).unwrap();
    let stdout = home.run("info b.bin").stdout;
    assert!(
        stdout.contains("PyTorch (legacy stream)") && stdout.contains("not known to Trepang"),
        "{stdout}"
    );
    let outcome = home.run("info c.bin");
    assert!(outcome.refusal(2).contains("there is no file c.bin"), "{outcome:?}");
}

#[test]
fn a_relative_cache_begins_at_the_current_folder() {
    let home = Home::new();
    let run = |line: &str| {
        let output = home.command(line).env("TREPANG_CACHE", "my/cache").output();
        crate::binary::Outcome::from(output.expect("the binary was built"))
    };
    let folder = home.path("").canonicalize().unwrap().join("my/cache");
    let outcome = run("pull vgg19 --offline");
    let remark =
        format!("trepang: TREPANG_CACHE is a relative path, which means {} here\n", folder.display());
    assert!(outcome.code == Some(1) && outcome.stderr.starts_with(&remark), "{outcome:?}");
    assert!(home.path("my/cache/weights").is_dir() && !home.path(".cache").exists());
    for line in ["render --network vgg19 --layer block5_conv4 --channel 4 -o a.png", "networks", "runs"] {
        let outcome = run(line);
        assert!(outcome.stderr.starts_with(&remark), "{outcome:?}");
    }
}

/// PyTorch publishes eight digits of a file's hash, for which another file can be made.
#[cfg(unix)]
#[test]
fn a_cached_file_that_everybody_may_replace_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    let set = trepang_weights::find_set("resnet18").unwrap();
    let folder = home.path(".cache/torch/hub/checkpoints");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(set.file);
    std::fs::File::create(&file).unwrap().set_len(set.size.unwrap_or(5000)).unwrap();
    for (mode, said) in [(0o644, "the sha256 of"), (0o666, "everybody may put another file in its place")] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let outcome = home.run("pull resnet18 --offline");
        assert!(outcome.code == Some(1) && outcome.stderr.contains(said), "{mode:o}: {outcome:?}");
    }
}
