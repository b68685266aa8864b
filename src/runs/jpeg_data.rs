//! Follows the data of a JPEG file to its end mark, and tells whether all blocks of the picture are before it. A file that
//! was cut and got an end mark afterwards is known by that. No pixels are computed; `jpeg_entropy` reads the bits.

use super::jpeg_entropy::{Band, BitReader, HuffmanTable, Stop, Tables, block};

/// The bytes that begin a JPEG file.
const START: [u8; 2] = [0xff, 0xd8];

/// The mark that ends a JPEG file.
pub(super) const END: [u8; 2] = [0xff, 0xd9];

/// The most pixels of a picture that is followed, which bounds the memory for progressive pictures.
const MAX_PIXELS: usize = 1 << 28;

/// The state of a coefficient that no scan has coded yet.
const UNCODED: u8 = u8::MAX;

/// The position of the end mark of a JPEG file, if pixels or their finer detail are missing before it. `None` if all is
/// there, if there is no end mark, and for damaged files and kinds of JPEG that are not followed.
pub(super) fn early_end(bytes: &[u8]) -> Option<usize> {
    followed(bytes).filter(|(_, is_whole)| !is_whole).map(|(at, _)| at)
}

/// Whether a JPEG file that lacks its end mark has all of its pixels. False for damaged files and kinds of JPEG that are
/// not followed.
pub(super) fn lacks_only_its_end_mark(bytes: &[u8]) -> bool {
    followed(&[bytes, &END].concat()).is_some_and(|(_, is_whole)| is_whole)
}

/// The position of the end mark, and whether all pixels are before it.
fn followed(bytes: &[u8]) -> Option<(usize, bool)> {
    if !bytes.starts_with(&START) {
        return None;
    }
    let (mut picture, mut at) = (JpegPicture::default(), START.len());
    loop {
        // Bytes that mean nothing may stand before a marker, and a marker may begin with several of 255.
        at += bytes.get(at..)?.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
        let marker = bytes[at + 1];
        match marker {
            0xd9 => return Some((at, picture.is_whole())),
            0x01 | 0xd0..=0xd8 => at += 2, // these stand alone
            _ => {
                let segment = bytes.get(at + 4..at + 2 + word(&bytes[at + 2..])?)?;
                at += 4 + segment.len();
                if marker != 0xda {
                    picture.take(marker, segment)?;
                    continue;
                }
                let mut bits = BitReader::new(bytes, at);
                let read = picture.scan(segment, &mut bits)?;
                at = bits.position();
                match read {
                    Ok(()) => {}
                    Err(Stop::Ended) => return is_end_mark(bytes, at).then_some((at, false)),
                    Err(Stop::Damaged) => return None,
                }
            }
        }
    }
}

/// The number in the first two bytes.
fn word(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|&pair| usize::from(u16::from_be_bytes(pair)))
}

/// Whether the marker at this position, behind any more bytes of 255, is the end mark.
fn is_end_mark(bytes: &[u8], at: usize) -> bool {
    bytes[at..].iter().find(|byte| **byte != 0xff) == Some(&0xd9) && bytes[at] == 0xff
}

/// The picture as far as its markers have told.
#[derive(Debug, Default)]
struct JpegPicture {
    is_progressive: bool,
    width: usize,
    height: usize,
    components: Vec<Component>,
    /// The Huffman tables of first coefficients and of the others, by number.
    dc: [Option<HuffmanTable>; 4],
    ac: [Option<HuffmanTable>; 4],
    /// The number of units between restart markers; 0 for none.
    restart_interval: usize,
}

/// One of the planes of a picture.
#[derive(Debug)]
struct Component {
    id: u8,
    /// The blocks of a unit of an interleaved scan, across and down.
    across: usize,
    down: usize,
    /// The blocks of a row, with those that fill the last unit.
    stride: usize,
    /// The bits that are missing of each coefficient.
    missing: [u8; 64],
    /// The coefficients that are not zero, by block; empty unless the picture is progressive.
    known: Vec<u64>,
}

/// A component in a scan: its number, and those of its tables.
#[derive(Debug, Clone, Copy)]
struct InScan {
    component: usize,
    dc: usize,
    ac: usize,
}

impl JpegPicture {
    /// Whether every coefficient of every component has been coded to its last bit.
    fn is_whole(&self) -> bool {
        !self.components.is_empty()
            && self.components.iter().all(|component| component.missing.iter().all(|missing| *missing == 0))
    }

    /// Takes a segment that is not a scan. `None` if it makes no sense, or is of a kind of JPEG that is not followed.
    fn take(&mut self, marker: u8, segment: &[u8]) -> Option<()> {
        match marker {
            0xc4 => self.add_tables(segment),
            0xc0..=0xc2 if self.components.is_empty() => self.start(segment, marker == 0xc2),
            // Other frames, a second frame, arithmetic codes, and a height that comes later.
            0xc0..=0xcf | 0xdc => None,
            0xdd => {
                self.restart_interval = word(segment)?;
                Some(())
            }
            _ => Some(()),
        }
    }

    fn add_tables(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((head, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let count = counts.iter().map(|count| usize::from(*count)).sum();
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15))? = Some(HuffmanTable::new(counts, rest.get(..count)?));
            segment = &rest[count..];
        }
        Some(())
    }

    /// Takes the size and the components of a frame.
    fn start(&mut self, segment: &[u8], is_progressive: bool) -> Option<()> {
        let count = *segment.get(5)?;
        self.is_progressive = is_progressive;
        (self.height, self.width) = (word(&segment[1..])?, word(&segment[3..])?);
        let pixels = self.width * self.height;
        let specs = segment.get(6..)?.get(..3 * usize::from(count))?;
        if pixels == 0 || pixels > MAX_PIXELS || !matches!(count, 1..=4) {
            return None;
        }
        for spec in specs.chunks_exact(3) {
            let (across, down) = (usize::from(spec[1] >> 4), usize::from(spec[1] & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) {
                return None;
            }
            let missing = [UNCODED; 64];
            self.components.push(Component {
                id: spec[0],
                across,
                down,
                stride: 0,
                missing,
                known: Vec::new(),
            });
        }
        let (units_across, units_down) = self.units();
        for component in &mut self.components {
            component.stride = units_across * component.across;
            let blocks = component.stride * units_down * component.down;
            component.known = vec![0; if is_progressive { blocks } else { 0 }];
        }
        Some(())
    }

    /// The most blocks of a component in a unit, across and down.
    fn most(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|component| component.across), most(|component| component.down))
    }

    /// The units of an interleaved scan, across and down.
    fn units(&self) -> (usize, usize) {
        let (across, down) = self.most();
        (self.width.div_ceil(8 * across), self.height.div_ceil(8 * down))
    }

    /// Reads a scan. `None` if its header makes no sense.
    fn scan(&mut self, header: &[u8], bits: &mut BitReader) -> Option<Result<(), Stop>> {
        let (count, rest) = header.split_first()?;
        let (specs, rest) = rest.split_at_checked(2 * usize::from(*count))?;
        let &[from, to, approximation, ..] = rest else { return None };
        let find = |spec: &[u8]| {
            let component = self.components.iter().position(|component| component.id == spec[0])?;
            Some(InScan { component, dc: usize::from(spec[1] >> 4), ac: usize::from(spec[1] & 15) })
        };
        let found: Vec<InScan> = specs.chunks_exact(2).map(find).collect::<Option<_>>()?;
        let is_progressive = self.is_progressive;
        let (from, to) = if is_progressive { (usize::from(from), usize::from(to)) } else { (0, 63) };
        let is_sound = from <= to && to < 64 && (from == 0 || found.len() == 1);
        if found.is_empty() || !is_sound || (is_progressive && from == 0 && to > 0) {
            return None;
        }
        let band = Band { from, to, is_refined: approximation >> 4 > 0, is_progressive };
        let read = self.units_of_scan(&found, band, bits);
        if read.is_ok() {
            let low = if is_progressive { approximation & 15 } else { 0 };
            for place in &found {
                self.components[place.component].missing[from..=to].fill(low);
            }
        }
        Some(read)
    }

    /// Reads all units of a scan, with the restart markers between them.
    fn units_of_scan(&mut self, found: &[InScan], band: Band, bits: &mut BitReader) -> Result<(), Stop> {
        let (across, down) = match found {
            // A scan of one component has the blocks that hold pixels, and no others.
            &[one] => {
                let (most, component) = (self.most(), &self.components[one.component]);
                let blocks = |pixels: usize, own: usize, most| (pixels * own).div_ceil(most).div_ceil(8);
                (blocks(self.width, component.across, most.0), blocks(self.height, component.down, most.1))
            }
            _ => self.units(),
        };
        let mut zero_blocks = 0;
        for unit in 0..across * down {
            if self.restart_interval > 0 && unit > 0 && unit % self.restart_interval == 0 {
                bits.restart()?;
                zero_blocks = 0;
            }
            self.unit(found, (unit % across, unit / across), band, bits, &mut zero_blocks)?;
        }
        Ok(())
    }

    /// Reads the blocks of a unit.
    fn unit(
        &mut self,
        found: &[InScan],
        (x, y): (usize, usize),
        band: Band,
        bits: &mut BitReader,
        zero_blocks: &mut u32,
    ) -> Result<(), Stop> {
        for place in found {
            let (dc, ac) = (self.dc.get(place.dc), self.ac.get(place.ac));
            let tables = Tables { dc: dc.and_then(Option::as_ref), ac: ac.and_then(Option::as_ref) };
            let component = &mut self.components[place.component];
            let (across, down) = if found.len() == 1 { (1, 1) } else { (component.across, component.down) };
            for inner in 0..across * down {
                let (column, row) = (x * across + inner % across, y * down + inner / across);
                let mut unused = 0;
                let known = component.known.get_mut(row * component.stride + column).unwrap_or(&mut unused);
                block(bits, tables, band, known, zero_blocks)?;
            }
        }
        Ok(())
    }
}
