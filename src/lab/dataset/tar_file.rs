//! Tar files that are not unpacked: the places of the pictures in them. ImageNet's training set is a tar of tars.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use tar::Archive;

use super::layout::is_picture_name;
use super::{DataPicture, PictureBytes};

/// The position of the mark that a tar file has in its first block, and the mark.
const MARK: (u64, &[u8]) = (257, b"ustar");

/// Whether a file is a tar file: its ending or its first block says so.
pub(super) fn is_tar(path: &Path) -> io::Result<bool> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tar")) {
        return Ok(true);
    }
    let mut file = File::open(path)?;
    let mut mark = Vec::new();
    file.seek(SeekFrom::Start(MARK.0))?;
    file.take(MARK.1.len() as u64).read_to_end(&mut mark)?;
    Ok(mark == MARK.1)
}

/// Adds the pictures of a tar file, whose paths begin with `within`.
pub(super) fn find(path: &Path, within: &str, found: &mut Vec<DataPicture>) -> io::Result<()> {
    let length = File::open(path)?.metadata()?.len();
    let mut tars = vec![(within.to_owned(), 0, length)];
    while let Some((within, start, length)) = tars.pop() {
        let mut archive = Archive::new(Section::open(path, start, length)?);
        for entry in archive.entries_with_seek()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let Ok(name) = String::from_utf8(entry.path_bytes().into_owned()) else { continue };
            let name = name.strip_prefix("./").unwrap_or(&name);
            let file = if within.is_empty() { name.to_owned() } else { format!("{within}/{name}") };
            let (at, size) = (start + entry.raw_file_position(), entry.size());
            if at + size > start + length {
                return Err(io::Error::other(format!("it ends early: {file} is not whole")));
            }
            if is_picture_name(&file) {
                let bytes = PictureBytes::Inside { archive: path.into(), start: at, length: size };
                found.push(DataPicture::new(file, size, bytes));
            } else if Path::new(&file).extension().is_some_and(|ending| ending == "tar") {
                tars.push((file, at, size));
            }
        }
    }
    Ok(())
}

/// A part of a file, read as if it were a file.
struct Section {
    file: BufReader<File>,
    length: u64,
    at: u64,
}

impl Section {
    fn open(path: &Path, start: u64, length: u64) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, length, at: 0 })
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at).min(buffer.len() as u64) as usize;
        let read = self.file.read(&mut buffer[..left])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        let at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.file.seek_relative(at as i64 - self.at as i64)?;
        self.at = at;
        Ok(at)
    }
}
