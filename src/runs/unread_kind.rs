//! Kinds of pictures that are known and not read, by their first bytes, each with a command that converts it.

use std::path::Path;

/// A kind of picture that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadKind {
    /// The name of the kind.
    pub name: &'static str,
    /// The command that makes OUT.png of it; FILE stands for the file.
    command: &'static str,
    /// Whether a file may hold several pictures, of which `magick` is to take the first.
    has_several: bool,
}

impl UnreadKind {
    /// The commands that convert this file, each of another program.
    pub(super) fn commands(self, path: &Path) -> String {
        let file = quoted(&path.display().to_string(), "");
        let first = if self.has_several { quoted(&path.display().to_string(), "[0]") } else { file.clone() };
        format!("`{}`, or `magick {first} OUT.png`", self.command.replace("FILE", &file))
    }
}

/// A path as a shell takes it, with an ending.
fn quoted(path: &str, ending: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if ending.is_empty() && path.chars().all(is_plain) {
        return path.into();
    }
    format!("'{}{ending}'", path.replace('\'', r"'\''"))
}

const fn kind(name: &'static str, command: &'static str) -> UnreadKind {
    UnreadKind { name, command, has_several: false }
}

const fn several(name: &'static str, command: &'static str) -> UnreadKind {
    UnreadKind { name, command, has_several: true }
}

/// The kinds of TIFF that the decoder refuses.
pub(super) const RARE_TIFF: UnreadKind = kind(
    "TIFF with a palette, or with numbers, tiles or a compression that few programs write",
    "gm convert FILE OUT.png",
);

const HEIC: UnreadKind = kind("HEIC", "heif-convert FILE OUT.png");
const AVIF: UnreadKind = kind("AVIF", "heif-convert FILE OUT.png");
const JPEG_XL: UnreadKind = kind("JPEG XL", "djxl FILE OUT.png");
const JPEG_2000: UnreadKind = kind("JPEG 2000", "opj_decompress -i FILE -o OUT.png");
const BIG_TIFF: UnreadKind = kind("BigTIFF", "gm convert FILE OUT.png");
const ICON: UnreadKind = several("ICO", "gm convert FILE OUT.png");
const PNM: UnreadKind = kind("PNM (.ppm, .pgm, .pbm)", "gm convert FILE OUT.png");
const PAM: UnreadKind = kind("PAM", "gm convert FILE OUT.png");
const PDF: UnreadKind = several("PDF", "pdftoppm -png -singlefile FILE OUT");
const SVG: UnreadKind = kind("SVG", "rsvg-convert -o OUT.png FILE");
const POSTSCRIPT: UnreadKind =
    several("PostScript", "gs -q -dSAFER -dBATCH -dNOPAUSE -dEPSCrop -r150 -sDEVICE=png16m -o OUT.png FILE");
const PHOTOSHOP: UnreadKind = several("Photoshop's PSD", "gm convert FILE OUT.png");
const GIMP: UnreadKind = kind("GIMP's XCF", "xcf2png FILE -o OUT.png");
const RAW: UnreadKind = kind("raw (of a camera)", "darktable-cli FILE OUT.png");

/// The first bytes of kinds that these are enough to tell.
const MAGIC: [(&[u8], UnreadKind); 28] = [
    (b"\xff\x0a", JPEG_XL),
    (b"\0\0\0\x0cJXL ", JPEG_XL),
    (b"\0\0\0\x0cjP  ", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"II+\0", BIG_TIFF),
    (b"MM\0+", BIG_TIFF),
    (b"\0\0\x01\0", ICON),
    // A cursor; with another number of pictures it may be a TGA.
    (b"\0\0\x02\0\x01\0", ICON),
    (b"icns", several("Apple's ICNS", "gm convert FILE OUT.png")),
    (b"%PDF", PDF),
    (b"%!PS", POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", POSTSCRIPT),
    (b"8BPS", PHOTOSHOP),
    (b"gimp xcf", GIMP),
    (b"qoif", kind("QOI", "ffmpeg -i FILE OUT.png")),
    (b"farbfeld", kind("farbfeld", "ffmpeg -i FILE OUT.png")),
    (b"\x76\x2f\x31\x01", kind("OpenEXR", "ffmpeg -i FILE OUT.png")),
    (b"#?RADIANCE", kind("Radiance HDR", "ffmpeg -i FILE OUT.png")),
    (b"DDS ", kind("DDS", "ffmpeg -i FILE OUT.png")),
    (b"II\xbc", kind("JPEG XR", "JxrDecApp -i FILE -o OUT.bmp")),
    (b"\x0a\x05\x01\x08", kind("PCX", "gm convert FILE OUT.png")),
    (b"/* XPM", kind("XPM", "gm convert FILE OUT.png")),
    (b"II*\0\x10\0\0\0CR", RAW),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"IIU\0", RAW),
    (b"FOVb", RAW),
];

/// The brands of HEIC.
const HEIC_BRANDS: [&[u8]; 8] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"];

/// The kind of a file that begins so; none for one that is read, or is no picture that is known.
pub(super) fn unread_kind(bytes: &[u8]) -> Option<UnreadKind> {
    let magic = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| *kind);
    magic.or_else(|| pnm(bytes)).or_else(|| svg(bytes)).or_else(|| boxed(bytes))
}

/// PNM begins with a P and a digit, and goes on with a space or a comment.
fn pnm(bytes: &[u8]) -> Option<UnreadKind> {
    match bytes {
        [b'P', b'1'..=b'6', next, ..] if next.is_ascii_whitespace() || *next == b'#' => Some(PNM),
        [b'P', b'7', b'\n', ..] => Some(PAM),
        [b'P', b'f' | b'F', b'\n', ..] => Some(kind("PFM", "gm convert FILE OUT.png")),
        _ => None,
    }
}

/// XML that names SVG: what stands before that may be long.
fn svg(bytes: &[u8]) -> Option<UnreadKind> {
    let text = String::from_utf8_lossy(bytes.get(..SVG_BYTES).unwrap_or(bytes));
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_page = || text.to_lowercase().contains("<html");
    (text.starts_with('<') && text.contains("<svg") && !is_page()).then_some(SVG)
}

/// The bytes among which `<svg` stands.
pub(super) const SVG_BYTES: usize = 4096;

/// The containers of HEIC, AVIF and CR3, by the first brand and those that the file is compatible with.
fn boxed(bytes: &[u8]) -> Option<UnreadKind> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    let end = usize::try_from(u32::from_be_bytes(bytes[..4].try_into().ok()?)).ok()?.clamp(8, bytes.len());
    let brands: Vec<&[u8]> = bytes[8..end].chunks(4).collect();
    let has = |names: &[&[u8]]| brands.iter().any(|brand| names.contains(brand));
    if has(&[b"avif", b"avis"]) {
        Some(AVIF)
    } else if has(&HEIC_BRANDS) {
        Some(HEIC)
    } else if has(&[b"crx "]) {
        Some(RAW)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_are_not_read_are_told_with_what_converts_them() {
        for (bytes, name, command) in [
            (&b"\0\0\x01\0\x01\0\x10\x10"[..], "ICO", "gm convert a.x OUT.png"),
            (b"P6\n2 2\n255\n", "PNM", "gm convert a.x OUT.png"),
            (b"P5#made by hand\n", "PNM", "gm convert a.x OUT.png"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", "opj_decompress -i a.x -o OUT.png"),
            (b"%PDF-1.7", "PDF", "pdftoppm -png -singlefile a.x OUT"),
            (b"<?xml version=\"1.0\"?>\n<!-- x --><svg xmlns=", "SVG", "rsvg-convert -o OUT.png a.x"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "heif-convert a.x OUT.png"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0avifmif1", "AVIF", "heif-convert a.x OUT.png"),
            (b"\0\0\0\x18ftypcrx \0\0\0\0", "raw", "darktable-cli a.x OUT.png"),
            (b"8BPS\0\x01", "Photoshop's PSD", "gm convert a.x OUT.png"),
        ] {
            let kind = unread_kind(bytes).unwrap_or_else(|| panic!("{name}"));
            assert!(kind.name.starts_with(name), "{kind:?}");
            let commands = kind.commands(Path::new("a.x"));
            assert!(commands.contains(&format!("`{command}`")), "{commands}");
        }
        for other in
            [&b"\x89PNG\r\n\x1a\n"[..], b"Please", b"P9 ", b"PK", b"<html><svg>", b"", b"II*\0\x08\0\0\0"]
        {
            assert_eq!(unread_kind(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_command_can_be_pasted_whatever_the_file_is_called() {
        let commands = |path: &str| ICON.commands(Path::new(path));
        assert_eq!(commands("a.ico"), "`gm convert a.ico OUT.png`, or `magick 'a.ico[0]' OUT.png`");
        assert!(commands("my icon.ico").starts_with("`gm convert 'my icon.ico' OUT.png`"));
        assert!(commands("it's.ico").contains(r"'it'\''s.ico'"));
    }
}
