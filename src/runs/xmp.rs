//! The text of a picture as an XMP packet, and its place in JPEG and WebP files. Not here: pixels, and the text itself.

use std::borrow::Cow;

/// The element that holds the text, in a namespace of its own.
const ELEMENT: &str = "trepang:origin";

/// The name of that namespace. Nothing is looked up there.
const NAMESPACE: &str = "https://github.com/trepang/trepang/xmp/1.0/";

/// The opening of an XMP segment of a JPEG file.
const JPEG_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The bytes that begin a JPEG file, and those of the segments that are written here or passed over.
const JPEG_START: [u8; 2] = [0xff, 0xd8];
const JPEG_APP0: [u8; 2] = [0xff, 0xe0];
const JPEG_APP1: [u8; 2] = [0xff, 0xe1];

/// The bit of a WebP file's header that announces XMP.
const WEBP_HAS_XMP: u8 = 0b100;

/// Characters that XML writes in another way, each with that way. The ampersand is the first.
const ENTITIES: [(&str, &str); 5] =
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&apos;")];

/// A packet with this text.
pub(super) fn packet(text: &str) -> String {
    let escaped = ENTITIES[..3]
        .iter()
        .fold(Cow::from(text), |text, (plain, entity)| text.replace(plain, entity).into());
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" \
         xmlns:trepang=\"{NAMESPACE}\"><{ELEMENT}>{escaped}</{ELEMENT}></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket \
         end=\"w\"?>"
    )
}

/// The text of a packet; none if it holds no element of Trepang's.
pub(super) fn text(packet: &[u8]) -> Option<String> {
    let packet = std::str::from_utf8(packet).ok()?;
    let (_, after) = packet.split_once(&format!("<{ELEMENT}>"))?;
    let (escaped, _) = after.split_once(&format!("</{ELEMENT}>"))?;
    // The ampersand comes last: what it stood before is text.
    let plain = ENTITIES
        .iter()
        .rev()
        .fold(Cow::from(escaped), |text, (plain, entity)| text.replace(entity, plain).into());
    Some(plain.into_owned())
}

/// A JPEG file with the packet after its header; none if the packet is too long for a segment.
pub(super) fn into_jpeg(bytes: &[u8], packet: &str) -> Option<Vec<u8>> {
    let rest = bytes.strip_prefix(&JPEG_START)?;
    // Its first segment has to stay the first.
    let header = match rest.strip_prefix(&JPEG_APP0) {
        Some(segment) => 2 + usize::from(u16::from_be_bytes(segment.get(..2)?.try_into().ok()?)),
        None => 0,
    };
    let (header, pixels) = rest.split_at_checked(header)?;
    let length = u16::try_from(2 + JPEG_PREFIX.len() + packet.len()).ok()?.to_be_bytes();
    Some([&JPEG_START[..], header, &JPEG_APP1, &length, JPEG_PREFIX, packet.as_bytes(), pixels].concat())
}

/// A WebP file of one chunk of pixels, of this width and height, with the packet after them.
pub(super) fn into_webp(bytes: &[u8], packet: &str, size: [usize; 2]) -> Option<Vec<u8>> {
    let pixels = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WEBP")?;
    let mut header = vec![WEBP_HAS_XMP, 0, 0, 0];
    for side in size {
        // The sides have 24 bits each, and a side is one more than what is written.
        let side = u32::try_from(side.checked_sub(1)?).ok().filter(|side| *side < 1 << 24)?;
        header.extend(&side.to_le_bytes()[..3]);
    }
    let content =
        [&b"WEBP"[..], &chunk(*b"VP8X", &header)?, pixels, &chunk(*b"XMP ", packet.as_bytes())?].concat();
    chunk(*b"RIFF", &content)
}

/// A chunk of a WebP file: name, length, content, and a byte that makes the length even.
fn chunk(name: [u8; 4], content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok()?.to_le_bytes();
    let padding = &[0][..content.len() % 2];
    Some([&name[..], &length, content, padding].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_from_its_packet() {
        for plain in ["", "{\"a\": \"<b> & 'c'\"}", "&amp; &lt; stays", "ナマコ \\u0000"] {
            assert_eq!(text(packet(plain).as_bytes()).as_deref(), Some(plain));
        }
        // As other programs escape it.
        let other = packet("x").replace(">x<", ">{&quot;a&quot;: &apos;&#39;}<");
        assert_eq!(text(other.as_bytes()).as_deref(), Some("{\"a\": '&#39;}"));
    }

    #[test]
    fn what_is_no_packet_has_no_text() {
        for wrong in ["", "<trepang:origin>", "<rdf:RDF></rdf:RDF>"] {
            assert_eq!(text(wrong.as_bytes()), None);
        }
        assert_eq!(text(b"\xff<trepang:origin>a</trepang:origin>"), None);
    }

    #[test]
    fn files_of_other_kinds_take_no_packet() {
        for bytes in [&b""[..], b"GIF89a", b"\xff\xd8\xff\xe0\xff", b"RIFF\0\0\0\0WAVE"] {
            assert_eq!(into_webp(bytes, "", [1, 1]), None);
            assert!(bytes.starts_with(b"GIF") || into_jpeg(bytes, "").is_none());
        }
    }
}
