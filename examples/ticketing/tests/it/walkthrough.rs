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
    let output =
        Command::new("sh").args(["-euc", &walkthrough()]).env("URL", &server.url).output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{failed}{}", server.log());
    for line in [
        r#""status":"succeeded""#,
        r#""total":2"#,
        r#""free":98,"held":0,"sold":2"#,
        r#""row":"A","number":3"#,
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    assert!(page(&server).await.contains("Tosca"));
    assert_eq!(server.stop().code(), Some(0));
    assert!(page(&start()).await.contains("Tosca"));
}

/// What a browser shows first.
async fn page(server: &Server) -> String {
    server.request(reqwest::Method::GET, "/").send().await.unwrap().text().await.unwrap()
}
