//! Turns pictures into what the terminal understands, on a thread of its own: the newest request wins, and
//! the dashboard never waits. Pictures are sent small and the terminal enlarges them, where it can: at several
//! frames a second over SSH, size is what costs.

use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};
use base64::Engine as _;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbImage};
use ratatui::layout::Size;
use ratatui_image::protocol::{
    Protocol as Drawable, halfblocks::Halfblocks, iterm2::Iterm2, kitty::Kitty, sixel::Sixel,
};

use super::graphics::{Graphics, Protocol};
use crate::engine::Picture;
use crate::panics::panicked;

/// The longest side that is sent while a run goes on.
const MAX_LIVE_SIDE: u32 = 160;

/// JPEG quality of iTerm2 pictures: a third of a PNG's bytes, and no artefact to see at this size.
const JPEG_QUALITY: u8 = 85;

/// A picture to be encoded for the terminal.
#[derive(Debug, Clone)]
pub struct PictureRequest {
    /// The picture to be encoded.
    pub picture: Arc<Picture>,
    /// The cells that the picture is to fill.
    pub cells: Size,
    /// The protocol by which the terminal shows it.
    pub graphics: Graphics,
    /// Whether a better one is likely to follow soon.
    pub live: bool,
    /// The id under which kitty knows the picture; unused by other protocols.
    pub kitty_id: u8,
}

/// A picture that is encoded, ready to be drawn.
pub struct Encoded {
    drawable: Drawable,
    request: PictureRequest,
}

impl std::fmt::Debug for Encoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoded").field("request", &self.request).finish_non_exhaustive()
    }
}

impl Encoded {
    /// Columns and rows of the terminal that the picture fills.
    pub fn cells(&self) -> Size {
        self.request.cells
    }

    /// The widget that draws it.
    pub fn protocol(&self) -> &Drawable {
        &self.drawable
    }

    /// Whether the picture is made of characters and colours.
    pub fn is_text(&self) -> bool {
        self.request.graphics.protocol == Protocol::Halfblocks
    }

    /// The id under which kitty knows the picture; none for another protocol.
    pub fn kitty_id(&self) -> Option<u8> {
        (self.request.graphics.protocol == Protocol::Kitty).then_some(self.request.kitty_id)
    }

    /// The sequence that makes kitty forget what was sent under this id before.
    pub fn kitty_delete(&self) -> String {
        kitty_delete(self.request.kitty_id, self.request.graphics.tmux)
    }
}

/// Makes kitty forget a picture, and free its memory.
pub(super) fn kitty_delete(id: u8, tmux: bool) -> String {
    wrap(&format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\"), tmux)
}

/// Passes a sequence through tmux, which wants every escape doubled.
fn wrap(sequence: &str, tmux: bool) -> String {
    if tmux { format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")) } else { sequence.into() }
}

/// Encodes a picture for the terminal; none for [`Protocol::None`] and for no room. Fails when the picture lacks pixels
/// or its protocol refuses it.
pub fn encode(request: PictureRequest) -> Result<Option<Encoded>> {
    let PictureRequest { picture, cells, graphics, live, kitty_id } = &request;
    if cells.width == 0 || cells.height == 0 {
        return Ok(None);
    }
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone())
        .context("a picture without its pixels")?;
    let small = |image: RgbImage| {
        if *live && image.width().max(image.height()) > MAX_LIVE_SIDE {
            imageops::resize(&image, MAX_LIVE_SIDE, MAX_LIVE_SIDE, FilterType::Triangle)
        } else {
            image
        }
    };
    let failed = |error| anyhow!("cannot encode the picture for {}: {error}", graphics.protocol.name());
    let drawable = match graphics.protocol {
        Protocol::None => return Ok(None),
        Protocol::Halfblocks => Drawable::Halfblocks(Halfblocks::new(image.into(), *cells).map_err(failed)?),
        Protocol::Kitty => {
            let image = DynamicImage::from(small(image));
            let id = u32::from(*kitty_id);
            Drawable::Kitty(
                Kitty::new(image, *cells, id, graphics.tmux, graphics.deflate, false).map_err(failed)?,
            )
        }
        Protocol::Iterm2 => Drawable::ITerm2(iterm2(&small(image), *cells, graphics.tmux)?),
        Protocol::Sixel => {
            // Sixels are not scaled by the terminal: they are sent at the size they are shown.
            let (width, height) = pixels(*cells, graphics.cell);
            let image = imageops::resize(&image, width, height, FilterType::Nearest);
            Drawable::Sixel(Sixel::new(image.into(), *cells, graphics.tmux).map_err(failed)?)
        }
    };
    Ok(Some(Encoded { drawable, request }))
}

/// Whole sixel rows (six pixels) inside the cells, so that the last one does not scroll the screen.
fn pixels(cells: Size, (width, height): (u16, u16)) -> (u32, u32) {
    let height = u32::from(cells.height) * u32::from(height);
    (u32::from(cells.width) * u32::from(width), (height - height % 6).max(1))
}

/// An inline JPEG that the terminal scales to the cells.
fn iterm2(image: &RgbImage, cells: Size, tmux: bool) -> Result<Iterm2> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut jpeg), JPEG_QUALITY).encode_image(image)?;
    let mut sequence = String::new();
    write!(
        sequence,
        "\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=0;doNotMoveCursor=1:{}\x07",
        jpeg.len(),
        cells.width,
        cells.height,
        base64::engine::general_purpose::STANDARD.encode(&jpeg)
    )?;
    Ok(Iterm2 { data: wrap(&sequence, tmux), size: cells, is_tmux: tmux })
}

/// The encoder's thread, seen from the dashboard.
#[derive(Debug)]
pub struct Encoder {
    queue: Arc<EncoderQueue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct EncoderQueue {
    slots: Mutex<EncoderSlots>,
    changed: Condvar,
}

/// One place for what comes in and one for what goes out: a newer thing replaces an older one.
#[derive(Debug, Default)]
struct EncoderSlots {
    request: Option<PictureRequest>,
    done: Option<Result<Option<Encoded>>>,
    closed: bool,
}

impl Encoder {
    /// Starts the thread. Fails when the system refuses one.
    pub fn spawn() -> Result<Self> {
        let queue = Arc::<EncoderQueue>::default();
        let inside = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("encoder".into())
            .spawn(move || inside.work())
            .context("cannot start the encoder's thread")?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Asks for a picture, instead of any that was asked for and not begun.
    pub fn request(&self, request: PictureRequest) {
        self.queue.lock().request = Some(request);
        self.queue.changed.notify_one();
    }

    /// The newest picture that was finished since the last call. An error, or the thread's end by a panic, is
    /// returned once.
    pub fn take(&mut self) -> Option<Result<Option<Encoded>>> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
        {
            return Some(Err(panicked("the picture encoder", &*panic).into()));
        }
        self.queue.lock().done.take()
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been told, or nobody asks any more.
            let _ = thread.join();
        }
    }
}

impl EncoderQueue {
    fn lock(&self) -> MutexGuard<'_, EncoderSlots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(request) = self.next() {
            let done = encode(request);
            self.lock().done = Some(done);
        }
    }

    /// Waits for a request; none when the dashboard has closed.
    fn next(&self) -> Option<PictureRequest> {
        let idle = |slots: &mut EncoderSlots| slots.request.is_none() && !slots.closed;
        let mut slots = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        if slots.closed { None } else { slots.request.take() }
    }
}
