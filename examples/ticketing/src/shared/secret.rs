//! A secret: used by those who hold it, shown to nobody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use composable_rust::runtime::BoxError;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// A secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Wraps a secret.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The secret that is kept in a file, made at the first start.
    ///
    /// # Errors
    /// When the file cannot be read or made.
    pub fn kept_in(path: &Path) -> Result<Self, BoxError> {
        let named = |error: std::io::Error| format!("{} cannot be used: {error}", path.display());
        if !path.exists() {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
            write(path, &URL_SAFE_NO_PAD.encode(bytes)).map_err(named)?;
        }
        let text = std::fs::read_to_string(path).map_err(named)?;
        if text.trim().len() < 32 {
            return Err(
                format!("{} holds no secret: remove it, and a new one is made", path.display()).into()
            );
        }
        Ok(Self::new(text.trim().as_bytes()))
    }

    /// The bytes, for those who sign with it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Written aside and renamed, so that a crash leaves all of it or nothing.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let aside = path.with_added_extension("new");
    let mut file = private(&aside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(aside, path)
}

/// A new file that its owner alone may read.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
