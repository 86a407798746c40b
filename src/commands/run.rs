//! `run`: one container, and (without `-d`) what it prints and how it ends.

use std::time::Duration;

use hyper::Method;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::sleep;

use super::{container, logs, wait};
use crate::api::{Accepted, Container, Health, Memory, Submit};
use crate::cli::{RunArgs, WaitforMissing};
use crate::client::Client;

/// Between two looks at a container that has not started.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn run(client: &Client, args: RunArgs) -> anyhow::Result<u8> {
    let (detach, rm) = (args.detach, args.rm);
    let accepted: Accepted = client.post("/api/v1/containers", &submit(args)).await?;
    accepted.warnings.iter().for_each(|warning| anstream::eprintln!("{}: {warning}", accepted.name));
    if detach {
        anstream::println!("{}", accepted.id);
        return Ok(0);
    }
    until_started(client, &accepted.id).await?;
    let printed = logs::print(client, &accepted.id, true).await;
    let waited = wait::one(client, &accepted.id).await?;
    if let Err(error) = printed {
        anstream::eprintln!("pinode: its output broke off: {error}");
    }
    if let Some(cause) = &waited.cause {
        anstream::eprintln!("pinode: {} {}: {cause}", waited.name, waited.state);
    }
    // The cluster removes it by itself a little later, in case somebody else still reads its end; who ran it is done.
    if rm && let Err(error) = client.act(Method::DELETE, &container(&accepted.id)).await {
        anstream::eprintln!("pinode: {} goes a little later: {error}", waited.name);
    }
    Ok(wait::code(&waited))
}

/// Shows what it waits for, on a terminal.
async fn until_started(client: &Client, id: &str) -> anyhow::Result<()> {
    let spinner = ProgressBar::new_spinner();
    spinner.set_style(
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    loop {
        let seen: Container = client.get(&container(id)).await?;
        match seen.state.as_str() {
            "blocked" => spinner.set_message(format!("waits for {}", seen.waits_for.join(", "))),
            "ready" | "claimed" | "backoff" => spinner.set_message(seen.state.clone()),
            _ => {
                spinner.finish_and_clear();
                return Ok(());
            }
        }
        spinner.tick();
        sleep(LOOK).await;
    }
}

fn submit(args: RunArgs) -> Submit {
    let pairs = |list: Vec<String>| {
        let pair = |text: String| {
            text.split_once('=').map_or((text.clone(), String::new()), |(k, v)| (k.to_owned(), v.to_owned()))
        };
        list.into_iter().map(pair).collect()
    };
    let health =
        args.health_cmd.map(|cmd| Health { test: vec!["CMD-SHELL".to_owned(), cmd], ..Health::default() });
    Submit {
        name: args.name,
        image: args.image,
        cmd: Some(args.cmd).filter(|cmd| !cmd.is_empty()),
        entrypoint: args.entrypoint.map(|program| vec![program]),
        env: args.env,
        waitfor: args.waitfor,
        labels: pairs(args.label),
        volumes: args.volume,
        volume_driver: args.volume_driver,
        network_mode: args.network,
        ports: args.publish,
        publish_all: args.publish_all,
        devices: args.device,
        working_dir: args.workdir,
        user: args.user,
        cpus: args.cpus,
        memory: args.memory.map(Memory::Text),
        constraints: args.constraint,
        affinities: args.affinity,
        strategy: args.strategy,
        rerun: args.rerun,
        retries: args.retries,
        restart: args.restart,
        health,
        auto_remove: args.rm,
        waitfor_missing: (args.waitfor_missing == WaitforMissing::Reject).then(|| "reject".to_owned()),
        ..Submit::default()
    }
}
