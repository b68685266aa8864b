//! The places where `trepang render` puts its results, checked before the work: they can be written there, and no file is
//! lost that the command reads.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::config::Usage;
use crate::config::args::RenderArgs;
use crate::runs::{check_animation_path, check_picture_path, check_target};

/// Fails where a result cannot be put down, or would replace another result or something that is read. A picture
/// made again may replace the one it is made from.
pub(super) fn check(args: &RenderArgs) -> Result<()> {
    let output = args.output.as_path();
    let start = args.init.as_deref().filter(|init| !["noise", "gray"].contains(init)).map(Path::new);
    let read = [("--init", start), ("--weights", args.compute.weights.as_deref())];
    refuse_same(("the picture", output), &read)?;
    if let Some(losses) = args.losses.as_deref() {
        refuse_same(("the picture", output), &[("the losses", Some(losses))])?;
        refuse_same(("the losses", losses), &[&read[..], &[("--from", args.from.as_deref())]].concat())?;
        check_place(losses)?;
    }
    for (flag, path) in [("--sheet", &args.sheet), ("--gif", &args.gif)] {
        let Some(path) = path.as_deref() else { continue };
        let others = [("the picture", Some(output)), ("the losses", args.losses.as_deref())];
        refuse_same((flag, path), &[&read[..], &others, &[("--from", args.from.as_deref())]].concat())?;
        check_place(path)?;
    }
    if let (Some(sheet), Some(gif)) = (args.sheet.as_deref(), args.gif.as_deref()) {
        refuse_same(("--sheet", sheet), &[("--gif", Some(gif))])?;
    }
    if let Some(gif) = &args.gif {
        check_animation_path(gif)?;
    }
    if let Some(sheet) = &args.sheet {
        check_picture_path(sheet)?;
    }
    Ok(())
}

/// The place of one picture has to be a file's, the place of several a folder's. What only one can have is not given to
/// several.
pub(super) fn check_several(args: &RenderArgs, several: bool) -> Result<()> {
    let output = args.output.as_path();
    if !several {
        check_picture_path(output)?;
        return check_place(output);
    }
    let only = [("--losses", args.losses.is_some()), ("--gif", args.gif.is_some())];
    if let Some((flag, _)) = only.iter().find(|(_, given)| *given) {
        return Err(
            Usage(format!("{flag} is for one picture; leave it out with several channels or seeds")).into()
        );
    }
    if output.exists() && !output.is_dir() {
        let output = output.display();
        return Err(Usage(format!(
            "{output} is a file; with several pictures --output is the folder they go into"
        ))
        .into());
    }
    fs::create_dir_all(output)
        .with_context(|| format!("cannot make the folder {}; choose another", output.display()))
}

/// Makes the folder of one of several pictures.
pub(super) fn make_folder(picture: &Path) -> Result<()> {
    let folder = folder(picture);
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// A file by what it is for.
type Named<'a, P> = (&'static str, P);

fn refuse_same((name, path): Named<&Path>, others: &[Named<Option<&Path>>]) -> Result<()> {
    match others.iter().find(|(_, other)| other.is_some_and(|other| same_file(path, other))) {
        Some((other, _)) => {
            let path = path.display();
            Err(Usage(format!("{name} and {other} cannot be the same file, {path}; choose another")).into())
        }
        None => Ok(()),
    }
}

fn check_place(path: &Path) -> Result<()> {
    let (file, folder) = (path.display(), folder(path));
    if !folder.is_dir() {
        let folder = folder.display();
        bail!("cannot write {file}: there is no folder {folder}; create it or choose another");
    }
    check_target(path)?;
    Ok(())
}

/// Whether a path means this program's stdout.
pub(super) fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Fails where something else would be printed on the stdout that is to take the picture.
pub(super) fn check_stdout(args: &RenderArgs, several: bool) -> Result<()> {
    let others = [("--json", args.json), ("several channels and seeds", several)];
    match others.iter().find(|(_, given)| *given) {
        Some((other, _)) => {
            Err(Usage(format!("stdout takes one picture and nothing else; leave out {other}")).into())
        }
        None => Ok(()),
    }
}

/// Whether these are the same file, however they are spelled, or would be once they are written.
fn same_file(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| Some((folder(path).canonicalize().ok()?, path.file_name()?.to_owned()));
    let inode = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    a == b || place(a).is_some_and(|a| place(b) == Some(a)) || inode(a).is_some_and(|a| inode(b) == Some(a))
}

/// The folder a file is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
