//! The suite `http` runs to its end and writes what it promises; how fast it is, is not looked at.

use std::path::Path;
use std::process::Command;

#[test]
fn the_suite_http_measures_the_real_program_and_draws_what_it_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let (json, plot) = (folder.path().join("http.jsonl"), folder.path().join("http.svg"));
    let mut suite = Command::new(env!("CARGO_BIN_EXE_composable-rust-benches"));
    suite.args(["http", "--only", "rush", "--seconds", "2", "--peak", "20"]);
    suite.arg("--json").arg(&json).arg("--plot").arg(&plot);
    // Where the whole workspace is tested the program is there already.
    let beside = Path::new(env!("CARGO_BIN_EXE_composable-rust-benches")).with_file_name("ticketing");
    if beside.exists() {
        suite.arg("--binary").arg(beside);
    }
    let done = suite.output().expect("the suite starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lines = std::fs::read_to_string(json).expect("the results");
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    let ours = |case: &str| {
        let line = lines.iter().find(|line| line["case"] == case).expect("the case");
        assert_eq!(line["suite"], "http");
        line["ours"].as_f64().expect("a number")
    };
    assert!(ours("on-sale rush, places sold or held beyond 1000").abs() < 0.5);
    assert!(ours("on-sale rush, 5xx and lost answers").abs() < 0.5);
    assert!(ours("on-sale rush, every arrival, p99") > 0.0);
    assert!(std::fs::read_to_string(plot).expect("a picture").contains("<svg"));
}
