//! `trepang --version`: which program this is.

use trepang::backends::BACKENDS;

use crate::binary::Home;
use crate::library::repository;

#[test]
fn the_version_names_the_commit_and_the_backends() {
    let home = Home::new();
    let backends: Vec<&str> = BACKENDS.iter().map(|entry| entry.name).collect();
    let commit = option_env!("TREPANG_COMMIT");
    assert_eq!(commit.is_some(), repository(".git").exists(), "a checkout has a commit");
    let commit = commit.map_or(String::new(), |commit| {
        assert!(commit.len() == 12 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{commit}");
        format!(" ({commit})")
    });
    let expected =
        format!("trepang {}{commit}, backends: {}\n", env!("CARGO_PKG_VERSION"), backends.join(", "));
    for flag in ["--version", "-V"] {
        assert_eq!(home.run(flag).stdout, expected);
    }
    let title = home.run("man").stdout;
    assert!(!title.contains("backends: "), "the manual is of every build");
}
