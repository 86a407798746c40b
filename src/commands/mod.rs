//! One subcommand, one file. Only `join` starts a node, `recover` and `restore` prepare the folder of
//! one that is stopped; the others are clients of its HTTP API.

mod backup;
mod containers;
mod encode;
mod events;
mod graph;
mod guard;
mod join;
mod listing;
mod logs;
mod node;
mod nodes;
mod ps;
mod recover;
mod run;
mod settings;
mod status;
mod submit;
mod wait;
mod why;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::client::{Client, ClientError};

/// For `run`, `wait` and `encode`: an error of pinode's own, as docker's.
const OWN_ERROR: u8 = 125;

/// Runs what was asked and says how it went.
pub fn main(cli: Cli) -> ExitCode {
    let own = matches!(cli.command, Command::Run(_) | Command::Wait(_) | Command::Encode(_));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            anstream::eprintln!("pinode: {error:#}");
            let code = error.downcast_ref::<ClientError>().map_or(1, ClientError::exit_code);
            ExitCode::from(if own && code == 1 { OWN_ERROR } else { code })
        }
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<u8> {
    let Cli { host, format, command } = cli;
    if let Command::Join(args) = command {
        return join::join(*args).await.map(|()| 0);
    }
    if let Command::Guard(args) = &command {
        return guard::guard(args).await.map(|()| 0);
    }
    let client = Client::new(host.as_deref())?;
    match command {
        Command::Join(_) | Command::Guard(_) => {}
        Command::Recover(args) => recover::recover(&args, format).await?,
        Command::Restore(args) => backup::restore(&args, format).await?,
        Command::Backup(args) => backup::backup(&client, &args, format).await?,
        Command::Run(args) => return run::run(&client, *args).await,
        Command::Submit(args) => submit::submit(&client, &args, format).await?,
        Command::Ps(args) => ps::ps(&client, &args, format).await?,
        Command::Inspect(names) => containers::inspect(&client, &names.names).await?,
        Command::Why(name) => why::why(&client, &name.name, format).await?,
        Command::Wait(names) => return wait::wait(&client, &names.names).await,
        Command::Logs(args) => logs::logs(&client, &args).await?,
        Command::Stop(names) => containers::act(&client, &names.names, "stop").await?,
        Command::Kill(names) => containers::act(&client, &names.names, "kill").await?,
        Command::Retry(names) => containers::act(&client, &names.names, "retry").await?,
        Command::Rm(args) => containers::rm(&client, &args).await?,
        Command::Nodes(args) => nodes::nodes(&client, &args, format).await?,
        Command::Node(command) => node::node(&client, &command).await?,
        Command::Settings(args) => settings::settings(&client, &args, format).await?,
        Command::Status => status::status(&client, format).await?,
        Command::Graph(args) => graph::graph(&client, &args, format).await?,
        Command::Events => events::events(&client, format).await?,
        Command::Encode(args) => return encode::encode(&client, &args, format).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "pinode", &mut std::io::stdout());
        }
        Command::Version => anstream::println!("pinode {}", env!("CARGO_PKG_VERSION")),
    }
    Ok(0)
}

/// A name as one piece of a path.
fn piece(name: &str) -> String {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    name.bytes().map(|b| if fine(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The path of a container.
fn container(name: &str) -> String {
    format!("/api/v1/containers/{}", piece(name))
}
