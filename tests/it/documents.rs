//! The texts for people: every relative link leads to a file, and to a heading where it names one; the README stays short;
//! every subcommand and recipe is in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binary::Home;
use crate::library::repository;

/// A text and what it is called in messages.
struct Page {
    path: PathBuf,
    text: String,
}

/// The Markdown files at the top, in `docs`, in `backends/api` and beside the weights.
fn pages() -> Vec<Page> {
    let folders = ["", "docs", "backends/api", "weights/fuzz", "weights/imagenet", "weights/minivgg"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(repository(folder)).unwrap());
    let paths = files.map(|entry| entry.unwrap().path());
    let texts = paths.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    texts.map(|path| Page { text: fs::read_to_string(&path).unwrap(), path }).collect()
}

/// What stands in round brackets after square ones, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        in_block ^= line.trim_start().starts_with("```");
        if in_block {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        found.extend(prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    found
}

/// The anchors of a page's headings, as hosts of repositories make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(anchor).collect()
}

/// What is wrong with a link of a page, if anything.
fn fault(page: &Page, link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = page.path.parent().unwrap_or(Path::new(""));
    let target = if file.is_empty() { page.path.clone() } else { folder.join(file) };
    let wrong = |what: &str| Some(format!("{}: {link} {what}", page.path.display()));
    if !target.exists() {
        return wrong("leads nowhere");
    }
    let is_known =
        anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap_or_default()).contains(anchor);
    if is_known { None } else { wrong("names no heading") }
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let pages = pages();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/json.md", "backends/api/GUIDE.md"] {
        assert!(pages.iter().any(|page| page.path == repository(name)), "{name} is not among the texts");
    }
    let links: Vec<_> =
        pages.iter().flat_map(|page| links(&page.text).into_iter().map(move |link| (page, link))).collect();
    assert!(links.len() > 50, "{} links", links.len());
    let faults: Vec<String> = links.iter().filter_map(|(page, link)| fault(page, link)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_readme_has_120_lines_at_most() {
    let lines = text("README.md").lines().count();
    assert!(lines <= 120, "{lines} lines");
}

#[test]
fn links_and_anchors_are_found_outside_of_code() {
    let text = "see [a](b.md) and [c](d.md#e), not `[f](g.md)`\n```\n[h](i.md)\n```\n![j](k.png)";
    assert_eq!(links(text), ["b.md", "d.md#e", "k.png"]);
    assert!(anchors("## What runs where, and how long").contains("what-runs-where-and-how-long"));
}

/// A text of the repository.
fn text(name: &str) -> String {
    fs::read_to_string(repository(name)).unwrap()
}

#[test]
fn the_documents_name_every_subcommand_and_recipe() {
    let home = Home::new();
    let help = home.run("--help").stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 10, "{help}");
    for name in names.iter().filter(|name| **name != "help") {
        assert!(
            text("docs/usage.md").contains(&format!("`trepang {name}`")),
            "docs/usage.md does not name {name}"
        );
    }
    let recipes = text("docs/recipes.md");
    for recipe in home.json("recipes --json") {
        let name = recipe["name"].as_str().unwrap();
        assert!(recipes.contains(&format!("`{name}`")), "docs/recipes.md does not name the recipe {name}");
    }
}
