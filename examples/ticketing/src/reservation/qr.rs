//! A ticket's code as a picture that a scanner at the door reads.

use fast_qr::QRBuilder;
use std::fmt::Write as _;

/// White around the code, in modules; scanners need four.
const QUIET: usize = 4;

/// The QR code of a text as SVG without any style; `None` for a text that is too long for one.
pub fn qr_svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).build().ok()?;
    let side = code.size.saturating_add(2 * QUIET);
    let mut path = String::new();
    for (y, row) in (0..code.size).map(|row| (row, &code[row])) {
        for (x, _) in row.iter().take(code.size).enumerate().filter(|(_, module)| module.value()) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{},{}h1v1h-1z", x.saturating_add(QUIET), y.saturating_add(QUIET));
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0,0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}
