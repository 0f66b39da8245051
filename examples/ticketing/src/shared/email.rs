//! E-mail addresses, as far as one can tell without writing to them.

/// Whether a text may be an e-mail address.
pub fn is_email(text: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control();
    let is_address = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    text.chars().count() <= 254 && text.chars().all(allowed) && is_address
}
