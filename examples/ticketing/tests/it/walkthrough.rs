//! The README's walkthrough is executed as it stands there.

use crate::binary::{Server, folder, ticketing};
use std::fs::read_to_string;
use std::process::Command;

/// The shell block after the marker.
fn walkthrough() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = read_to_string(path).expect("the README");
    let block = text.split_once("<!-- walkthrough -->").expect("a marker").1;
    let block = block.split_once("```sh\n").expect("a block").1;
    block.split_once("```").expect("its end").0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_walkthrough_sells_two_tickets() {
    let folder = folder();
    let start = || Server::start_with(ticketing(folder.path()).arg("--demo"));
    let server = start();
    // Pasted twice into one shell.
    let twice = [walkthrough(), walkthrough()].join("\n");
    let output = Command::new("sh").args(["-euc", &twice]).env("URL", &server.url).output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{failed}{}", server.log());
    for line in [
        r#""status":"succeeded""#,
        r#""total":2"#,
        r#""free":98,"held":0,"sold":2"#,
        r#""row":"A","number":3"#,
        r#""remaining":{"amount":4500,"currency":"EUR"}"#,
        r#""free":99,"held":0,"sold":1"#,
    ] {
        assert!(said.matches(line).count() >= 2, "{line} is not twice in {said}");
    }
    assert!(page(&server).await.contains("Tosca"));
    assert_eq!(server.stop().code(), Some(0));
    assert!(page(&start()).await.contains("Tosca"));
}

#[test]
fn the_readme_walkthrough_tells_what_went_wrong() {
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let url = format!("http://{nobody}");
    let output = Command::new("sh").args(["-c", &walkthrough()]).env("URL", &url).output().expect("a shell");
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{failed}");
    assert!(failed.contains(&format!("asked for {url}/api/auth/dev-sign-in")), "{failed}");
}

/// What a browser shows first.
async fn page(server: &Server) -> String {
    server.request(reqwest::Method::GET, "/").send().await.unwrap().text().await.unwrap()
}
