//! The places where `trepang render` puts its results, checked before the work: they can be written there, and no file is
//! lost that the command reads.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::config::args::RenderArgs;
use crate::config::{RenderJob, Usage, is_folder_name};
use crate::runs::{OutputKind, check_animation_path, check_picture_path, check_target};

/// Fails where a result cannot be put down, or would replace another result or something that is read. A picture
/// made again may replace the one it is made from.
pub(super) fn check(args: &RenderArgs) -> Result<()> {
    let output = args.output.as_path();
    refuse_stdout(args)?;
    let start = args.init.as_deref().filter(|init| !["noise", "gray"].contains(init)).map(Path::new);
    let read = [("--init", start), ("--weights", args.compute.weights.as_deref())];
    refuse_same(("the picture", output), &read)?;
    if let Some(losses) = args.losses.as_deref() {
        refuse_same(("the picture", output), &[("the losses", Some(losses))])?;
        refuse_same(("the losses", losses), &[&read[..], &[("--from", args.from.as_deref())]].concat())?;
        check_place(losses)?;
        OutputKind::Losses.check_place(losses)?;
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

/// Fails where something else than the picture would go to stdout, which has the results.
fn refuse_stdout(args: &RenderArgs) -> Result<()> {
    let others = [("--losses", &args.losses), ("--sheet", &args.sheet), ("--gif", &args.gif)];
    match others.iter().find(|(_, path)| path.as_deref().is_some_and(is_stdout)) {
        Some((flag, _)) => {
            Err(Usage(format!("{flag} cannot go to stdout, which only -o can; name a file")).into())
        }
        None => Ok(()),
    }
}

/// The place of one picture has to be a file's, the place of several a folder's, unless it is named as a folder. What only
/// one can have is not given to several. No picture replaces a file that is none.
pub(super) fn check_several(args: &RenderArgs, jobs: &[RenderJob]) -> Result<()> {
    let several = jobs.len() > 1;
    if several {
        let only = [("--losses", args.losses.is_some()), ("--gif", args.gif.is_some())];
        if let Some((flag, _)) = only.iter().find(|(_, given)| *given) {
            return Err(Usage(format!(
                "{flag} is for one picture; leave it out with several channels or seeds"
            ))
            .into());
        }
        refuse_picture_name(&args.output)?;
    } else if !is_folder_name(&args.output) {
        check_picture_path(&args.output)?;
        return check_place(&args.output);
    }
    jobs.iter().try_for_each(|job| check_picture_path(&job.output))?;
    // Without the slash at its end, so that a file of that name is found.
    make_output_folder(args.output.components().as_path())
}

/// Makes the folder that pictures go into.
fn make_output_folder(output: &Path) -> Result<()> {
    if output.exists() && !output.is_dir() {
        let output = output.display();
        return Err(Usage(format!("{output} is a file, and --output is to be a folder here")).into());
    }
    fs::create_dir_all(output)
        .with_context(|| format!("cannot make the folder {}; choose another", output.display()))
}

/// Fails where the folder of several pictures is named as one picture is, and is not there yet.
fn refuse_picture_name(output: &Path) -> Result<()> {
    if output.extension().is_none() || is_folder_name(output) || output.exists() {
        return Ok(());
    }
    if check_picture_path(output).is_err() {
        return Ok(());
    }
    let output = output.display();
    Err(Usage(format!(
        "{output} is the name of one picture; with several channels or seeds --output is a folder, as in {output}/"
    ))
    .into())
}

/// Fails where a file that would be written is there already.
pub(super) fn refuse_existing(args: &RenderArgs, jobs: &[RenderJob], to_stdout: bool) -> Result<()> {
    let pictures = jobs.iter().filter(|_| !to_stdout).map(|job| job.output.as_path());
    let others = [&args.losses, &args.sheet, &args.gif].into_iter().flatten().map(PathBuf::as_path);
    // A link that leads nowhere is there too.
    let there: Vec<String> = pictures
        .chain(others)
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    match &there[..] {
        [] => Ok(()),
        [path] => Err(Usage(format!("{path} is there already, and --no-clobber keeps it")).into()),
        [path, more @ ..] => {
            let more = more.len();
            Err(Usage(format!("{path} and {more} more are there already, and --no-clobber keeps them"))
                .into())
        }
    }
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
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Fails where something else would be printed on the stdout that is to take the picture.
pub(super) fn check_stdout(args: &RenderArgs, several: bool) -> Result<()> {
    let others = [("--json", args.report.json), ("several channels and seeds", several)];
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
