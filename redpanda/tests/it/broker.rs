//! A broker of a test's own, which it may kill and start again.

use crate::support::{options, variable};
use composable_rust_redpanda::{RedpandaEventBus, RedpandaOptions};
use std::net::TcpListener;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The name and the password that its second listener asks for.
pub(crate) const USER: (&str, &str) = ("shop", "correct-horse");

/// One node, with its data until it is dropped.
pub(crate) struct Broker {
    folder: TempDir,
    ports: [u16; 3],
    process: Option<Child>,
}

impl Broker {
    /// A broker that answers.
    pub(crate) async fn start() -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let ports = [free(), free(), free()].map(|port| port.local_addr().unwrap().port());
        let mut broker = Self { folder: tempfile::tempdir().unwrap(), ports, process: None };
        std::fs::write(broker.folder.path().join("server.properties"), broker.properties()).unwrap();
        let format =
            ["kafka.tools.StorageTool", "format", "-t", "composable-rust-kafkaA", "-c", "server.properties"];
        assert!(broker.java(&format).status().await.unwrap().success(), "the data folder is made");
        broker.start_again().await;
        broker
    }

    /// Starts it on the data that it has, and waits until it answers.
    pub(crate) async fn start_again(&mut self) {
        self.process = Some(self.java(&["kafka.Kafka", "server.properties"]).spawn().unwrap());
        let answers = async {
            while let Err(error) = RedpandaEventBus::connect(self.options()).await {
                let ended = self.process.as_mut().unwrap().try_wait().unwrap();
                assert!(ended.is_none(), "the broker has ended: {error:?}");
            }
        };
        tokio::time::timeout(Duration::from_mins(2), answers).await.expect("the broker answers");
    }

    /// As a power failure does it.
    pub(crate) async fn kill(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    /// How to reach it.
    pub(crate) fn options(&self) -> RedpandaOptions {
        let answer_timeout = Duration::from_secs(5);
        RedpandaOptions { brokers: format!("127.0.0.1:{}", self.ports[0]), answer_timeout, ..options() }
    }

    /// How to reach the listener that asks for a name and a password.
    pub(crate) fn guarded(&self) -> RedpandaOptions {
        RedpandaOptions { brokers: format!("127.0.0.1:{}", self.ports[1]), ..self.options() }
    }

    fn java(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("java");
        command
            .args(["-Xmx400m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
            .arg(format!("{}/*", variable("TEST_KAFKA_LIBS")))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn properties(&self) -> String {
        let ([open, guarded, controller], (name, password)) = (self.ports, USER);
        let data = self.folder.path().join("data");
        format!(
            "node.id=1\nprocess.roles=broker,controller\nlog.dirs={data}\n\
             listeners=PLAINTEXT://127.0.0.1:{open},SASL_PLAINTEXT://127.0.0.1:{guarded},CONTROLLER://127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             inter.broker.listener.name=PLAINTEXT\nauto.create.topics.enable=false\n\
             group.initial.rebalance.delay.ms=0\noffsets.topic.num.partitions=2\n\
             offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\nsasl.enabled.mechanisms=PLAIN\n\
             listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
             required user_{name}=\"{password}\";\n",
            data = data.display(),
        )
    }
}
