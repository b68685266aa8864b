//! The mouse: how the terminal is told to report it, and what its reports say.

/// Asks for presses, releases, the wheel and moves with a button held, by numbers of any size.
pub(super) const CAPTURE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";

/// Gives the mouse back to the terminal, which selects text with it.
pub(super) const RELEASE: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";

/// The signs of a report's first number: a move, the wheel, and Shift, Alt or Ctrl.
const MOVED: u16 = 32;
const WHEEL: u16 = 64;
const MODIFIERS: u16 = 4 | 8 | 16;

/// The number that stands for a release where the button is not told.
const RELEASED: u16 = 3;

/// The thing that was done with the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseAction {
    /// The first button was pressed.
    Press,
    /// The mouse was moved with the first button held.
    Drag,
    /// The first button was released.
    Release,
    /// The wheel was turned down by so many notches; up, if negative.
    Wheel(isize),
}

/// A report of the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MouseEvent {
    /// The thing that was done.
    pub action: MouseAction,
    /// The column, from 0.
    pub column: u16,
    /// The row, from 0.
    pub row: u16,
}

impl MouseEvent {
    /// Reads a control sequence: `CSI < number ; column ; row M`, or with `m` for a release. None for what is no report, and for
    /// buttons and modifiers that mean nothing here.
    pub(super) fn reported(parameters: &str, last: char) -> Option<Self> {
        let mut numbers = parameters.strip_prefix('<')?.split(';').map(str::parse::<u16>);
        let (Some(Ok(sign)), Some(Ok(column)), Some(Ok(row)), None) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        else {
            return None;
        };
        if sign & MODIFIERS != 0 {
            return None;
        }
        let action = match (sign, last) {
            (0, 'm') | (RELEASED, 'M') => MouseAction::Release,
            (0, 'M') => MouseAction::Press,
            (MOVED, 'M') => MouseAction::Drag,
            (WHEEL, 'M') => MouseAction::Wheel(-1),
            (sign, 'M') if sign == WHEEL + 1 => MouseAction::Wheel(1),
            _ => return None,
        };
        Some(Self { action, column: column.saturating_sub(1), row: row.saturating_sub(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_and_what_means_nothing_is_passed_over() {
        let at = |action| Some(MouseEvent { action, column: 4, row: 299 });
        for (parameters, last, event) in [
            ("<0;5;300", 'M', at(MouseAction::Press)),
            ("<0;5;300", 'm', at(MouseAction::Release)),
            ("<3;5;300", 'M', at(MouseAction::Release)),
            ("<32;5;300", 'M', at(MouseAction::Drag)),
            ("<64;5;300", 'M', at(MouseAction::Wheel(-1))),
            ("<65;5;300", 'M', at(MouseAction::Wheel(1))),
            ("<2;5;300", 'M', None),
            ("<4;5;300", 'M', None),
            ("<80;5;300", 'M', None),
            ("<66;5;300", 'M', None),
            ("0;5;300", 'M', None),
            ("<0;5", 'M', None),
            ("<0;5;99999", 'M', None),
            ("<0;5;300;1", 'M', None),
            ("<0;5;300", 'c', None),
        ] {
            assert_eq!(MouseEvent::reported(parameters, last), event, "{parameters}{last}");
        }
    }
}
