//! What a packager installs beside the binary: completion scripts and the manual page.

use crate::binary::{Home, Outcome};

/// The subcommands that `trepang --help` lists.
fn subcommands() -> Vec<String> {
    let help = Home::new().run("--help").stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  "));
    let names = listed.filter(|line| !line.starts_with("   "));
    let names: Vec<String> =
        names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(names.len() > 10 && names.contains(&"render".into()), "{help}");
    names
}

fn printed(line: &str) -> String {
    let Outcome { code, stdout, stderr } = Home::new().run(line);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "trepang {line}");
    stdout
}

#[test]
fn every_shell_gets_a_script_with_every_subcommand() {
    let subcommands = subcommands();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&format!("completions {shell}"));
        for name in &subcommands {
            assert!(script.contains(name.as_str()), "{shell} does not know {name}");
        }
        for flag in ["channel", "image-protocol", "losses"] {
            assert!(script.contains(flag), "{shell} does not know {flag}");
        }
    }
    let refusal = Home::new().run("completions tcsh");
    assert!(refusal.refusal(2).contains("bash"), "{refusal:?}");
}

#[test]
fn bash_can_read_its_script() {
    let home = Home::new();
    std::fs::write(home.path("trepang.bash"), printed("completions bash")).unwrap();
    let mut bash = std::process::Command::new("bash");
    let status = bash.args(["-n", "trepang.bash"]).current_dir(home.path("")).status();
    // A machine without bash has nobody to read it.
    assert!(status.is_err() || status.unwrap().success());
}

#[test]
fn the_manual_is_one_page_with_every_subcommand() {
    let page = printed("man");
    assert_eq!(page.matches("\n.TH ").count(), 1);
    for name in subcommands().iter().filter(|name| *name != "help") {
        let heading = format!("\n.SH \"TREPANG {}\"\n", name.to_uppercase());
        let (_, section) = page.split_once(&heading).unwrap_or_else(|| panic!("there is no section {name}"));
        let section = section.split("\n.SH ").next().unwrap();
        assert!(section.contains(".SS SYNOPSIS") && section.contains(".SS DESCRIPTION"), "{section}");
        assert!(section.contains("help"), "{section}");
    }
    for heading in ["NAME", "SYNOPSIS", "OPTIONS", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES"] {
        assert!(page.contains(&format!("\n.SH {heading}\n")), "there is no section {heading}");
    }
    assert!(!page.contains("worker"), "a flag that nobody types is in it");
}
