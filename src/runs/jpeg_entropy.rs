//! Reads the entropy-coded data of JPEG without computing pixels: bits, Huffman codes, and the coefficients of one block in
//! each of the five ways in which a scan codes them (T.81, F.2 and G.1.2). Not here: markers, frames, and the order of blocks.

/// The number of bits of the longest Huffman code.
const LONGEST_CODE: u32 = 16;

/// The reason why a scan cannot be read further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The data end: a marker or the end of the file comes first.
    Ended,
    /// The data are not what a JPEG encoder writes.
    Damaged,
}

/// A Huffman table: for every value of the next 16 bits, the length of the code that they begin with and its symbol. The
/// length is 0 where they begin with no code.
#[derive(Debug)]
pub(super) struct HuffmanTable(Vec<(u8, u8)>);

impl HuffmanTable {
    /// The table of a `DHT` segment: the number of codes of each length, and the symbols in the order of their codes.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Self {
        let mut table = Vec::with_capacity(1 << LONGEST_CODE);
        let lengths = (1..=16_u8).zip(counts).flat_map(|(length, count)| (0..*count).map(move |_| length));
        for (length, symbol) in lengths.zip(symbols) {
            let entries = 1 << (LONGEST_CODE - u32::from(length));
            table.extend(std::iter::repeat_n((length, *symbol), entries));
        }
        table.resize(1 << LONGEST_CODE, (0, 0));
        Self(table)
    }
}

/// Reads the bits of a scan, up to the first marker.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The position of the next byte that is not in `held`.
    at: usize,
    /// The bits that were taken from the bytes and not read yet, in the lowest places.
    held: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    /// A reader of the bits from position `at` on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0 }
    }

    /// The position of the marker behind the bits, once they have been read or given up.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Gives up the bits that fill the last byte, and passes over a restart marker. Fails if another marker comes first.
    pub(super) fn restart(&mut self) -> Result<(), Stop> {
        self.fill();
        if self.count >= 8 {
            return Err(Stop::Damaged);
        }
        (self.held, self.count) = (0, 0);
        let marker = self.bytes[self.at..].iter().position(|byte| *byte != 0xff).map(|fill| self.at + fill);
        match marker.map(|at| (at, self.bytes[at])) {
            Some((at, 0xd0..=0xd7)) => {
                self.at = at + 1;
                Ok(())
            }
            _ => Err(Stop::Ended),
        }
    }

    /// Takes bytes until there are enough bits for any code, or a marker comes. In the data, 255 is followed by 0.
    fn fill(&mut self) {
        while self.count <= 48 {
            let step = match self.bytes.get(self.at..) {
                Some([0xff, 0, ..]) => 2,
                Some([byte, ..]) if *byte != 0xff => 1,
                _ => return,
            };
            self.held = self.held << 8 | u64::from(self.bytes[self.at]);
            self.count += 8;
            self.at += step;
        }
    }

    /// Reads a number of `count` bits, at most 16.
    fn bits(&mut self, count: u32) -> Result<u32, Stop> {
        if self.count < count {
            self.fill();
        }
        self.count = self.count.checked_sub(count).ok_or(Stop::Ended)?;
        Ok((self.held >> self.count) as u32 & ((1 << count) - 1))
    }

    fn skip(&mut self, count: u32) -> Result<(), Stop> {
        self.bits(count).map(|_| ())
    }

    /// Reads a code. Bits behind the data count as ones, with which alone no code is written.
    fn symbol(&mut self, table: &HuffmanTable) -> Result<u8, Stop> {
        if self.count < LONGEST_CODE {
            self.fill();
        }
        let ahead = if let Some(more) = self.count.checked_sub(LONGEST_CODE) {
            self.held >> more
        } else {
            let missing = LONGEST_CODE - self.count;
            self.held << missing | ((1 << missing) - 1)
        };
        let (length, symbol) = table.0[(ahead & 0xffff) as usize];
        match self.count.checked_sub(length.into()) {
            Some(_) if length == 0 && self.count >= LONGEST_CODE => Err(Stop::Damaged),
            Some(count) if length > 0 => {
                self.count = count;
                Ok(symbol)
            }
            _ => Err(Stop::Ended),
        }
    }

    /// Reads a symbol of a coefficient other than the first: a run of zeros and a number of bits.
    fn run_and_size(&mut self, table: &HuffmanTable) -> Result<(usize, u32), Stop> {
        let symbol = self.symbol(table)?;
        Ok((usize::from(symbol >> 4), u32::from(symbol & 15)))
    }
}

/// The coefficients that a scan codes of each block, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Band {
    /// The first coefficient and the last one.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether an earlier scan coded the higher bits of them.
    pub(super) is_refined: bool,
    /// Whether the frame is progressive.
    pub(super) is_progressive: bool,
}

/// The Huffman tables of a component in a scan. A table that the scan does not name is missing where it is not needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) dc: Option<&'a HuffmanTable>,
    pub(super) ac: Option<&'a HuffmanTable>,
}

/// Reads one block. `known` has a bit for each coefficient that is not zero so far, and `zero_blocks` counts the blocks to
/// come in which nothing new is coded.
pub(super) fn block(
    bits: &mut BitReader,
    tables: Tables,
    band: Band,
    known: &mut u64,
    zero_blocks: &mut u32,
) -> Result<(), Stop> {
    let ac = || tables.ac.ok_or(Stop::Damaged);
    match (band.is_progressive, band.from, band.is_refined) {
        (false, ..) => {
            first_coefficient(bits, tables)?;
            sequential(bits, ac()?)
        }
        (true, 0, false) => first_coefficient(bits, tables),
        (true, 0, true) => bits.skip(1),
        (true, _, false) => progressive(bits, ac()?, band, known, zero_blocks),
        (true, _, true) => refined(bits, ac()?, band, known, zero_blocks),
    }
}

fn first_coefficient(bits: &mut BitReader, tables: Tables) -> Result<(), Stop> {
    let size = bits.symbol(tables.dc.ok_or(Stop::Damaged)?)?;
    if size > 16 {
        return Err(Stop::Damaged);
    }
    bits.skip(size.into())
}

fn sequential(bits: &mut BitReader, table: &HuffmanTable) -> Result<(), Stop> {
    let mut at = 1;
    while at < 64 {
        match bits.run_and_size(table)? {
            (15, 0) => at += 16,
            (_, 0) => return Ok(()),
            (run, size) => {
                bits.skip(size)?;
                at += run + 1;
            }
        }
    }
    if at == 64 { Ok(()) } else { Err(Stop::Damaged) }
}

fn progressive(
    bits: &mut BitReader,
    table: &HuffmanTable,
    band: Band,
    known: &mut u64,
    zero_blocks: &mut u32,
) -> Result<(), Stop> {
    if *zero_blocks > 0 {
        *zero_blocks -= 1;
        return Ok(());
    }
    let mut at = band.from;
    while at <= band.to {
        match bits.run_and_size(table)? {
            (15, 0) => at += 16,
            (run, 0) => {
                *zero_blocks = (1 << run) + bits.bits(run as u32)? - 1;
                return Ok(());
            }
            (run, size) => {
                bits.skip(size)?;
                at += run;
                if at > band.to {
                    return Err(Stop::Damaged);
                }
                *known |= 1 << at;
                at += 1;
            }
        }
    }
    Ok(())
}

/// Reads one more bit of each coefficient that is not zero, and the coefficients that become so.
fn refined(
    bits: &mut BitReader,
    table: &HuffmanTable,
    band: Band,
    known: &mut u64,
    zero_blocks: &mut u32,
) -> Result<(), Stop> {
    let mut at = band.from;
    while *zero_blocks == 0 && at <= band.to {
        let (run, size) = bits.run_and_size(table)?;
        match size {
            0 if run < 15 => {
                *zero_blocks = (1 << run) + bits.bits(run as u32)?;
                break;
            }
            0 => {}
            _ => bits.skip(1)?,
        }
        at = pass_zeros(bits, band, *known, at, run)?;
        if size > 0 && at <= band.to {
            *known |= 1 << at;
        }
        at += 1;
    }
    if *zero_blocks > 0 {
        pass_zeros(bits, band, *known, at, usize::MAX)?;
        *zero_blocks -= 1;
    }
    Ok(())
}

/// The position of the zero behind so many zeros. Each coefficient before it that is not zero has a bit.
fn pass_zeros(
    bits: &mut BitReader,
    band: Band,
    known: u64,
    from: usize,
    mut zeros: usize,
) -> Result<usize, Stop> {
    for at in from..=band.to {
        if known >> at & 1 == 1 {
            bits.skip(1)?;
        } else if zeros == 0 {
            return Ok(at);
        } else {
            zeros -= 1;
        }
    }
    Ok(band.to + 1)
}
