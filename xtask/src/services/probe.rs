//! Whether a server takes work, asked in its own protocol: an open port alone says nothing.
//!
//! The least of each protocol by hand, so that `xtask` builds in a second and needs no client program.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// For the connection, and for each answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether PostgreSQL would let us sign in; while it starts or recovers it answers with an error.
pub(super) fn postgres(port: u16) -> Result<(), String> {
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let mut startup = Vec::new();
    startup.extend(length(parameters.len() + 8));
    // Version 3.0 of the protocol.
    startup.extend([0, 3, 0, 0]);
    startup.extend(parameters);
    match ask(port, &startup, 1)?.as_slice() {
        b"R" => Ok(()),
        _ => Err("it is starting".to_owned()),
    }
}

/// Whether Redis knows the password and has loaded its data.
pub(super) fn redis(port: u16, password: &str) -> Result<(), String> {
    let expected = "+OK\r\n+PONG\r\n";
    let answer = ask(port, format!("AUTH {password}\r\nPING\r\n").as_bytes(), expected.len())?;
    let text = String::from_utf8_lossy(&answer);
    if text == expected { Ok(()) } else { Err(format!("it answers {}", text.trim_end())) }
}

/// Whether a broker tells which versions of the protocol it speaks: it does so once it has caught up.
pub(super) fn kafka(port: u16) -> Result<(), String> {
    // ApiVersions (18) in version 0, number 7, without a client id.
    let request = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];
    match ask(port, &request, 10)?.as_slice() {
        [_, _, _, _, 0, 0, 0, 7, 0, 0] => Ok(()),
        other => Err(format!("it is no broker: {other:?}")),
    }
}

/// The first `count` bytes of the answer.
fn ask(port: u16, question: &[u8], count: usize) -> Result<Vec<u8>, String> {
    let mut answer = vec![0; count];
    let mut asked = || -> io::Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(question)?;
        stream.read_exact(&mut answer)
    };
    match asked() {
        Ok(()) => Ok(answer),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Err("it does not run".to_owned()),
        Err(error) => Err(format!("it does not answer ({error})")),
    }
}

/// A length as the protocol of PostgreSQL has it.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}
