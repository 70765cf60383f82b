//! Adjusts the provider's colour to be readable.
//!
//! A colour is moved towards black, or towards white on dark pages, until text in it and on it has
//! the contrast that WCAG 2.2 §1.4.3 requires.

use crate::account::Color;
use serde::Serialize;

/// The contrast that §1.4.3 requires.
const CONTRAST: f64 = 4.5;
/// The backgrounds in style.css with the least contrast: `--back` when light, `--paper` when dark.
const LIGHT: Color = Color([0xf7, 0xf8, 0xfa]);
const DARK: Color = Color([0x1d, 0x21, 0x26]);
const BLACK: Color = Color([0; 3]);
const WHITE: Color = Color([0xff; 3]);
/// The default, a calm blue.
const DEFAULT: Color = Color([0x1f, 0x5f, 0xbf]);

/// One colour in its two shades.
#[derive(Serialize)]
pub struct Accent {
    light: String,
    dark: String,
}

impl Accent {
    /// Both shades of a colour, or of the default one.
    pub fn new(color: Option<Color>) -> Accent {
        let color = color.unwrap_or(DEFAULT);
        Accent {
            light: on_light(color).to_string(),
            dark: readable(color, DARK, WHITE).to_string(),
        }
    }
}

/// The shade for light pages: the colour itself if it is readable there.
pub fn on_light(color: Color) -> Color {
    readable(color, LIGHT, BLACK)
}

fn readable(color: Color, ground: Color, towards: Color) -> Color {
    let shades = (0..=50).map(|step| mix(color, towards, f64::from(step) / 50.0));
    shades.into_iter().find(|shade| contrast(*shade, ground) >= CONTRAST).unwrap_or(towards)
}

fn mix(color: Color, towards: Color, share: f64) -> Color {
    let part = |at: usize| {
        let (from, to) = (f64::from(color.0[at]), f64::from(towards.0[at]));
        (from + (to - from) * share).round() as u8
    };
    Color([part(0), part(1), part(2)])
}

/// WCAG 2.2, "contrast ratio".
fn contrast(one: Color, other: Color) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, "relative luminance".
fn luminance(Color(parts): Color) -> f64 {
    let [red, green, blue] = parts.map(|part| {
        let part = f64::from(part) / 255.0;
        match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_as_wcag_has_it() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 0.001);
        assert!((contrast(Color([0x77; 3]), WHITE) - 4.48).abs() < 0.01);
    }

    #[test]
    fn every_colour_can_be_read_in_both_lights() {
        let parts = [0, 0x33, 0x66, 0x99, 0xcc, 0xff];
        for red in parts {
            for green in parts {
                for blue in parts {
                    let color = Color([red, green, blue]);
                    let (light, dark) = (on_light(color), readable(color, DARK, WHITE));
                    assert!(contrast(light, LIGHT) >= CONTRAST, "{color} {light}");
                    assert!(contrast(light, WHITE) >= CONTRAST, "{color} {light}");
                    assert!(contrast(dark, DARK) >= CONTRAST, "{color} {dark}");
                    assert!(
                        contrast(dark, Color([0x14, 0x17, 0x1b])) >= CONTRAST,
                        "{color} {dark}"
                    );
                }
            }
        }
        assert_eq!(on_light(Color([0x00, 0x40, 0x80])), Color([0x00, 0x40, 0x80]), "left alone");
    }
}
