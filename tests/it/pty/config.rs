//! The dashboard with a `config.toml` of the user's.

use super::Setup;
use super::frame::Frame;

#[test]
fn the_dashboard_obeys_the_users_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("trepang")).unwrap();
    let text = "image-protocol = \"none\"\nsize = 48\n[keys]\nquit = \"X\"\nnext-layer = \"q\"\n";
    std::fs::write(folder.path().join("trepang/config.toml"), text).unwrap();
    let setup = Setup::new(110, 30).env("XDG_CONFIG_HOME", folder.path().to_str().unwrap());
    let mut terminal = setup.start();
    let frame = terminal.wait_for("48 px");
    assert!(frame.has("nothing"), "the protocol: {frame:?}");
    assert!(frame.has("X quit"), "{frame:?}");
    let header = |frame: &Frame| frame.lines().first().cloned();
    terminal.send("q");
    terminal.wait_until("the next layer", |later| header(later) != header(&frame));
    terminal.send("X");
    assert_eq!(terminal.end().code, Some(0));
}
