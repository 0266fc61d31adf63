//! What is on the display, as the X server has it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, ImageFormat},
    rust_connection::RustConnection,
};

/// Squares of the display that are looked at: their upper left corners, in pixels.
const PLACES: [(i16, i16); 4] = [(60, 300), (700, 500), (900, 120), (1_100, 700)];
/// How large a square is.
const SIZE: u16 = 24;

/// From here on a square is bright: the mean of its colours, from 0 to 255.
const BRIGHT: u32 = 128;

/// A part of the display, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    pub(crate) x: i16,
    pub(crate) y: i16,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

/// How much of a region is ground and how much is text, in pixels, in a light theme.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ink {
    ground: usize,
    text: usize,
}

impl Ink {
    /// Whether about as much is there as in another look: ages and counts may have changed by a letter.
    pub(crate) fn is_like(self, whole: Self) -> bool {
        self.ground * 10 >= whole.ground * 9 && self.text * 10 >= whole.text * 9
    }

    pub(crate) fn has_text(self) -> bool {
        self.text > 200
    }
}

/// Looks at the ink of one region.
pub(crate) struct Eye {
    display: RustConnection,
    root: u32,
    region: Region,
}

impl Eye {
    pub(crate) fn on(region: Region) -> Self {
        let (display, screen) = RustConnection::connect(None).unwrap();
        let root = display.setup().roots[screen].root;
        Self { display, root, region }
    }

    pub(crate) fn look(&self) -> Ink {
        let Region { x, y, width, height } = self.region;
        let image = self.display.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, width, height, !0);
        let pixels = image.unwrap().reply().unwrap().data;
        let lights = pixels.chunks_exact(4).map(mean);
        let (mut ground, mut text) = (0, 0);
        for light in lights {
            ground += usize::from(light > 200);
            text += usize::from(light < 110);
        }
        Ink { ground, text }
    }
}

/// Looks at the display until it is stopped, and keeps for how long something bright was seen.
pub(crate) struct Brightness {
    stop: Arc<AtomicBool>,
    watching: JoinHandle<Seen>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How often the display was looked at.
    pub(crate) looks: usize,
    /// The longest time for which a square was bright.
    pub(crate) bright_for: Duration,
}

impl Brightness {
    pub(crate) fn watch() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let watching = std::thread::spawn(move || {
            let (display, screen) = RustConnection::connect(None).unwrap();
            let root = display.setup().roots[screen].root;
            let mut seen = Seen::default();
            let mut since = None;
            while !stopped.load(Ordering::Relaxed) {
                let is_bright = PLACES.iter().any(|(x, y)| {
                    let square = display.get_image(ImageFormat::Z_PIXMAP, root, *x, *y, SIZE, SIZE, !0);
                    mean(&square.unwrap().reply().unwrap().data) >= BRIGHT
                });
                since = is_bright.then(|| since.unwrap_or_else(Instant::now));
                seen.bright_for = seen.bright_for.max(since.map_or(Duration::ZERO, |since| since.elapsed()));
                seen.looks += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        Self { stop, watching }
    }

    pub(crate) fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.watching.join().unwrap()
    }
}

/// The mean of all colours; each pixel has four bytes, of which the last means nothing.
fn mean(pixels: &[u8]) -> u32 {
    let colours = pixels.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
    let count = u32::try_from(pixels.len() / 4 * 3).unwrap();
    colours.map(|colour| u32::from(*colour)).sum::<u32>() / count
}
