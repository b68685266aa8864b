//! How much may be written to the terminal, and when. Buffers of unknown size may lie between (a pseudo-terminal, SSH's, a
//! router's), so bytes that were written are not bytes that were shown. After a frame the terminal is asked for its status;
//! its reply says that all before it has arrived, and the time that took says what the line carries.

use std::time::{Duration, Instant};

/// The time that a frame may keep the line busy. A key that is pressed meanwhile waits so long.
const TARGET: Duration = Duration::from_millis(60);

/// The fewest and the most bytes of pictures in a frame.
const BUDGET: (usize, usize) = (1 << 10, 1 << 16);

/// The bytes of pictures in the first frame, before anything is known of the line.
const FIRST_BUDGET: usize = 4 << 10;

/// The bytes of keys' frames that may follow a frame on its way, beside another budget, before keys wait for the reply too.
const KEY_BYTES: usize = 4 << 10;

/// The most of the time, by the rate that the user allows, that goes into one frame.
const CAPPED_FRAME: Duration = Duration::from_millis(250);

/// The longest wait for a reply. After that, the terminal is taken for one that does not reply.
const PATIENCE: Duration = Duration::from_secs(3);

/// The bytes a second for a terminal that does not reply.
const UNANSWERED_RATE: f64 = 20_000.0;

/// The question for the terminal's status.
pub(super) const STATUS_REQUEST: &str = "\x1b[5n";

/// A question that the terminal has not replied to.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    /// The bytes since the last reply, up to the question.
    bytes: usize,
}

/// The line to the terminal.
#[derive(Debug)]
pub(super) struct Link {
    asked: Option<Asked>,
    /// The bytes after the last question.
    since: usize,
    /// The time in seconds that the way there and back takes without any load.
    round_trip: Option<f64>,
    /// The bytes that the last reply was about, and the seconds that it took.
    last: Option<(usize, f64)>,
    budget: usize,
    /// The most bytes a second that the user allows.
    cap: f64,
    /// Whether the terminal has left a question unanswered.
    silent: bool,
    /// The time from which another picture may be written, by the rate that is allowed.
    next: Instant,
    /// The bytes of the present second or so, when it began, and the bytes a second of the one before.
    counted: usize,
    counting_since: Instant,
    rate: f64,
}

impl Link {
    pub(super) fn new(now: Instant, cap: Option<f64>) -> Self {
        Self {
            asked: None,
            since: 0,
            round_trip: None,
            last: None,
            budget: FIRST_BUDGET,
            cap: cap.unwrap_or(f64::INFINITY),
            silent: false,
            next: now,
            counted: 0,
            counting_since: now,
            rate: 0.0,
        }
    }

    /// Whether the next frame is to end with the question: never while one is unanswered.
    pub(super) fn is_to_ask(&self) -> bool {
        self.asked.is_none() && !self.silent
    }

    /// Whether a frame may be written that nobody waits for: new numbers, parts of a picture.
    pub(super) fn is_free(&mut self, now: Instant) -> bool {
        if self.asked.is_some_and(|asked| now.saturating_duration_since(asked.at) >= PATIENCE) {
            (self.asked, self.silent) = (None, true);
        }
        self.asked.is_none() && now >= self.next
    }

    /// Whether a frame may be written for a key that was pressed. It waits only if so many are on their way that the line
    /// does not keep up.
    pub(super) fn takes_keys(&mut self, now: Instant) -> bool {
        let on_the_way = self.asked.map_or(0, |asked| asked.bytes + self.since);
        self.is_free(now) || on_the_way < 2 * self.budget + KEY_BYTES
    }

    /// The bytes that a frame may have.
    pub(super) fn budget(&self) -> usize {
        // A long frame would be followed by a long silence.
        self.budget.min((self.cap * CAPPED_FRAME.as_secs_f64()).max(BUDGET.0 as f64) as usize)
    }

    /// Notes that a frame was written, and whether it ended with the question. A frame that nobody asked for may be followed
    /// by the next when `rate` bytes a second allow it.
    pub(super) fn sent(&mut self, bytes: usize, asked: bool, rate: f64, now: Instant) {
        self.since += bytes;
        self.counted += bytes;
        if asked {
            self.asked = Some(Asked { at: now, bytes: self.since });
            self.since = 0;
        }
        let rate = rate.min(self.cap);
        let rate = if self.silent { rate.min(UNANSWERED_RATE) } else { rate };
        self.next = self.next.max(now) + Duration::from_secs_f64(bytes as f64 / rate);
    }

    /// Notes the terminal's reply.
    pub(super) fn answered(&mut self, now: Instant) {
        self.silent = false;
        let Some(asked) = self.asked.take() else { return };
        let took = now.saturating_duration_since(asked.at).as_secs_f64();
        let busy = took - self.without_load(asked.bytes, took);
        let target = TARGET.as_secs_f64();
        if busy > target {
            let fitting = (asked.bytes as f64 * target / busy) as usize;
            self.budget = fitting.clamp(self.budget / 4, self.budget);
        } else if asked.bytes >= self.budget / 2 {
            self.budget *= 2;
        }
        self.budget = self.budget.clamp(BUDGET.0, BUDGET.1);
    }

    /// Learns the time without any load, in seconds, from a reply.
    fn without_load(&mut self, bytes: usize, took: f64) -> f64 {
        let mut known = self.round_trip.map_or(took, |known| known.min(took));
        if let Some((other, other_took)) = self.last.replace((bytes, took))
            && bytes.abs_diff(other) > bytes.max(other) / 3
        {
            // Two frames of different lengths tell what a byte costs, and so what is left without any.
            let per_byte = (took - other_took) / (bytes as f64 - other as f64);
            let left = (took - per_byte.max(0.0) * bytes as f64).max(0.0);
            known = if left < known { f64::midpoint(known, left) } else { known };
        }
        if bytes <= BUDGET.0 {
            // Where even the smallest frames come back late, the way has become longer.
            known += (took - known) / 8.0;
        }
        self.round_trip = Some(known);
        known
    }

    /// The bytes a second of the last second or so.
    pub(super) fn rate(&mut self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.counting_since).as_secs_f64();
        if seconds >= 1.0 {
            self.rate = self.counted as f64 / seconds;
            (self.counted, self.counting_since) = (0, now);
        }
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that carries so many bytes a second, and the terminal at its other end, on a clock of its own.
    struct Line {
        link: Link,
        start: Instant,
        now: Duration,
        round_trip: Duration,
        bytes_per_second: f64,
        /// The time at which all that was written has arrived.
        drained: Duration,
        replies: Vec<Duration>,
    }

    impl Line {
        fn new(bytes_per_second: f64) -> Self {
            let start = Instant::now();
            Self {
                link: Link::new(start, None),
                start,
                now: Duration::ZERO,
                round_trip: Duration::from_millis(80),
                bytes_per_second,
                drained: Duration::ZERO,
                replies: Vec::new(),
            }
        }

        fn time(&self) -> Instant {
            self.start + self.now
        }

        fn write(&mut self, bytes: usize) {
            let asked = self.link.is_to_ask();
            let took = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second);
            self.drained = self.drained.max(self.now) + took;
            if asked {
                self.replies.push(self.drained + self.round_trip);
            }
            let time = self.time();
            self.link.sent(bytes, asked, 1e9, time);
        }

        /// Writes pictures for some seconds, each as large as the budget; returns the longest time that a byte waited, and
        /// the bytes, both in the second half.
        fn run(&mut self, seconds: f64) -> (Duration, usize) {
            let (end, mut longest, mut bytes) =
                (self.now + Duration::from_secs_f64(seconds), Duration::ZERO, 0);
            let half = self.now + Duration::from_secs_f64(seconds / 2.0);
            while self.now < end {
                self.now += Duration::from_millis(1);
                let (now, time) = (self.now, self.time());
                if self.replies.first().is_some_and(|reply| *reply <= now) {
                    self.replies.remove(0);
                    self.link.answered(time);
                }
                if self.link.is_free(time) {
                    let budget = self.link.budget();
                    self.write(budget);
                    if self.now > half {
                        longest = longest.max(self.drained.saturating_sub(self.now));
                        bytes += budget;
                    }
                }
            }
            (longest, bytes)
        }
    }

    #[test]
    fn a_frame_keeps_any_line_busy_for_a_moment_only() {
        for bytes_per_second in [30_000.0, 200_000.0, 5_000_000.0] {
            let mut line = Line::new(bytes_per_second);
            let (longest, bytes) = line.run(20.0);
            assert!(longest <= Duration::from_millis(130), "{bytes_per_second}: {longest:?}");
            let share = bytes as f64 / 10.0 / bytes_per_second.min(400_000.0);
            assert!(share > 0.25, "{bytes_per_second}: {share} of the line is used");
        }
    }

    #[test]
    fn a_line_that_slows_down_is_followed() {
        let mut line = Line::new(5_000_000.0);
        line.run(5.0);
        line.bytes_per_second = 30_000.0;
        line.run(10.0);
        let (longest, _) = line.run(5.0);
        assert!(longest <= Duration::from_millis(130), "{longest:?}");
    }

    #[test]
    fn one_question_is_unanswered_at_most() {
        let now = Instant::now();
        let mut link = Link::new(now, None);
        assert!(link.is_to_ask() && link.is_free(now));
        link.sent(10, true, 1e9, now);
        let later = now + Duration::from_secs(1);
        assert!(!link.is_to_ask() && !link.is_free(later) && link.takes_keys(later));
        link.sent(100_000, false, 1e9, later);
        assert!(!link.takes_keys(later), "the line does not keep up");
        link.answered(later + Duration::from_secs(1));
        assert!(link.is_to_ask() && link.takes_keys(later + Duration::from_secs(1)));
    }

    #[test]
    fn a_key_does_not_wait_for_the_reply_to_a_picture() {
        let now = Instant::now();
        let mut link = Link::new(now, None);
        let budget = link.budget();
        link.sent(budget + 1000, true, 1e9, now);
        for _ in 0..3 {
            assert!(!link.is_free(now) && link.takes_keys(now));
            link.sent(1000, false, 1e9, now);
        }
    }

    #[test]
    fn a_silent_terminal_is_written_to_slowly() {
        let now = Instant::now();
        let mut link = Link::new(now, None);
        link.sent(1000, true, 1e9, now);
        let after = |seconds: f64| now + Duration::from_secs_f64(seconds);
        assert!(!link.is_free(after(2.9)) && link.is_free(after(3.1)) && !link.is_to_ask());
        link.sent(20_000, false, 1e9, after(3.1));
        assert!(!link.is_free(after(4.0)) && link.is_free(after(4.2)));
        link.answered(after(5.0));
        assert!(link.is_to_ask(), "it replies after all");
    }

    #[test]
    fn the_rate_is_held() {
        let now = Instant::now();
        let mut link = Link::new(now, None);
        link.sent(30_000, false, 60_000.0, now);
        assert!(
            !link.is_free(now + Duration::from_millis(499)) && link.is_free(now + Duration::from_millis(501))
        );
        assert_eq!(link.rate(now + Duration::from_secs(1)), 30_000.0);
        assert_eq!(link.rate(now + Duration::from_secs(3)), 0.0);
    }

    #[test]
    fn the_users_rate_is_held_and_frames_are_small_by_it() {
        let now = Instant::now();
        let mut link = Link::new(now, Some(8_000.0));
        assert_eq!(link.budget(), 2_000);
        link.sent(4_000, false, 60_000.0, now);
        assert!(
            !link.is_free(now + Duration::from_millis(499)) && link.is_free(now + Duration::from_millis(501))
        );
        // A key does not wait for it.
        assert!(link.takes_keys(now));
        assert_eq!(Link::new(now, Some(1.0)).budget(), BUDGET.0);
    }
}
