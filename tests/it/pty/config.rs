//! The dashboard with a `config.toml` of the user's.

use super::Setup;

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
    terminal.send("q");
    terminal.wait_for("X quit");
    terminal.send("X");
    assert!(terminal.end().said.contains("saved"));
}
