//! A secret: used by those who hold it, shown to nobody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use composable_rust::runtime::BoxError;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use tempfile::NamedTempFile;

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
        let named = |error: io::Error| format!("{} cannot be used: {error}", path.display());
        if !path.exists() {
            make(path).map_err(named)?;
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

/// Written aside under a name of its own, which the owner alone may read, and given its name only when all of it is on
/// disk and nobody was faster: whatever happens, there is one whole secret or none.
fn make(path: &Path) -> io::Result<()> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut aside = NamedTempFile::new_in(folder)?;
    writeln!(aside, "{}", URL_SAFE_NO_PAD.encode(bytes))?;
    aside.as_file().sync_all()?;
    match aside.persist_noclobber(path) {
        Err(taken) if taken.error.kind() != io::ErrorKind::AlreadyExists => Err(taken.error),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_at_once_all_have_the_secret_that_stays() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("data/secret");
            let kept = || Secret::kept_in(&path).unwrap();
            let at_once: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(kept)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(at_once.iter().all(|secret| *secret == kept()));
            assert_eq!(
                std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
                1,
                "nothing is left aside"
            );
        }
    }
}
