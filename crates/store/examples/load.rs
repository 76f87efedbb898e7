//! Loads a log with commitments of real length and says how fast it took them, what it weighs, and how it opens again:
//! `cargo run --release -p ledger-store --example load -- <directory> <events>`.

use bytes::Bytes;
use ledger_proof::{Hash, data_digest, hash_to_hex};
use ledger_store::{CommandKey, Group, Log, NewRecord, NewSubmission, Options, SubmittedCommand};
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};
use uuid::Uuid;

const GROUP: u64 = 2000;
const WORDS: &str = "access advisory agencies all and border capacity children civil community consular countries data decent \
    development documentation employers evidence fair families financial health host human identity inclusive indicators information \
    integration irregular labour legal local management migrants migration ministry mobility national of online pathways plan \
    policies portable programme protection recognition recruitment regional registration regular remittances return rights safe \
    services skills smuggling social society support the through to trafficking training transit vulnerabilities women workers";

/// A small generator, so that two runs write the same bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn text(&mut self, words: &[&str], len: usize) -> String {
        let mut text = String::new();
        while text.len() < len {
            let at = usize::try_from(self.next() >> 8).unwrap_or(0) % words.len();
            text.push_str(words.get(at).copied().unwrap_or("and"));
            text.push(' ');
        }
        text
    }
}

fn group(first: u64, random: &mut Random, words: &[&str]) -> Result<Group, Box<dyn Error>> {
    let mut group = Group::default();
    let mut commands = Vec::new();
    for (index, position) in (0_u32..).zip(first..first + GROUP) {
        let id = |random: &mut Random| {
            Uuid::from_u128(u128::from(random.next()) << 64 | u128::from(random.next()))
        };
        let (command, commitment, event) = (id(random), id(random), id(random));
        let text = random.text(words, 230);
        let data = format!("{{\"title\":\"{text}\",\"actions\":[\"GCM-05a\",\"GCM-10\"],\"form\":\"individual\",\"due\":\"2028-06\"}}").into_bytes();
        let salt = random
            .next()
            .to_le_bytes()
            .repeat(2)
            .try_into()
            .unwrap_or([0; 16]);
        let digest = hash_to_hex(&Hash(data_digest(&salt, &data)));
        let seconds = position / 200_000;
        let time = format!(
            "2026-11-23T{:02}:{:02}:{:02}.{:06}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            position % 200_000
        );
        let header = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{event}\",\"source\":\"ledger/load\",\"type\":\"ledger.commitment_recorded.v1\",\
             \"subject\":\"{commitment}\",\"time\":\"{time}\",\"position\":\"{position}\",\"streamversion\":\"1\",\"partner\":\"ken\",\
             \"party\":\"KEN\",\"causationid\":\"{command}\",\"submission\":\"{digest}\",\"submissionindex\":\"{index}\",\
             \"rulesversion\":\"1\",\"datadigest\":\"{digest}\"}}"
        )
        .into_bytes();
        let bytes = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{command}\",\"source\":\"partner/ken\",\"type\":\"ledger.record_commitment.v1\",\
             \"subject\":\"{commitment}\",\"time\":\"{time}\",\"party\":\"KEN\",\"data\":{}}}",
            String::from_utf8_lossy(&data)
        );
        commands.push(SubmittedCommand {
            bytes: Bytes::from(bytes),
            first_event: index,
            events: 1,
        });
        let route = ["KEN|GCM-05a,GCM-10", "CHE|GCM-10", "BRA|GCM-05a"];
        let route = route
            .get(usize::try_from(position % 3).unwrap_or(0))
            .copied()
            .unwrap_or("|")
            .to_owned();
        group
            .records
            .push(NewRecord::read(header, salt, data, route)?);
    }
    group.submissions.push(NewSubmission {
        partner: "ken".to_owned(),
        signature: None,
        commands,
    });
    Ok(group)
}

fn raw_bytes(group: &Group) -> usize {
    let events: usize = group
        .records
        .iter()
        .map(|record| record.header.len() + record.data.len() + 16)
        .sum();
    let commands = group
        .submissions
        .iter()
        .flat_map(|submission| &submission.commands);
    events + commands.map(|command| command.bytes.len()).sum::<usize>()
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

fn disk_bytes(dir: &std::path::Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(sum)
}

fn rate(count: u64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let count = count as f64;
    count / time.as_secs_f64() / 1000.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = std::path::PathBuf::from(arguments.next().ok_or("which directory?")?);
    let events: u64 = arguments.next().ok_or("how many events?")?.parse()?;
    let mut out = std::io::stdout().lock();
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);

    let started = Instant::now();
    let (log, mut appender, _) = Log::open(Options::new(&dir, "load"))?;
    writeln!(out, "opened empty in {:?}", started.elapsed())?;
    let (mut spent, mut raw, mut lap, mut lap_spent) = (Duration::ZERO, 0, 0, Duration::ZERO);
    let started = Instant::now();
    while log.tree_size() < events {
        let group = group(log.tree_size(), &mut random, &words)?;
        raw += raw_bytes(&group);
        let begun = Instant::now();
        appender.append(&group)?;
        let took = begun.elapsed();
        spent += took;
        lap_spent += took;
        lap += GROUP;
        if lap >= 1_000_000 {
            writeln!(
                out,
                "{:>9} events: append {:.0} k/s, {} MiB resident",
                log.tree_size(),
                rate(lap, lap_spent),
                resident_mib()
            )?;
            (lap, lap_spent) = (0, Duration::ZERO);
        }
    }
    writeln!(
        out,
        "append {:.0} k events/s inside append, {:.0} k/s with making them",
        rate(events, spent),
        rate(events, started.elapsed())
    )?;
    drop(appender);
    let stored = disk_bytes(&dir)?;
    writeln!(
        out,
        "all fed after {:?}; {} bytes an event raw, {} on disk; {} MiB resident",
        started.elapsed(),
        raw as u64 / events,
        stored / events,
        resident_mib()
    )?;
    lookups(&log, &mut random, &mut out)?;
    scan(&log, &mut out)?;
    drop(log);
    let started = Instant::now();
    let (log, appender, recovery) = Log::open(Options::new(&dir, "load"))?;
    writeln!(
        out,
        "opened again in {:?}: {recovery:?}; {} MiB resident",
        started.elapsed(),
        resident_mib()
    )?;
    drop((log, appender));
    Ok(())
}

fn lookups(log: &Log, random: &mut Random, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let keys: Vec<CommandKey> = (0..1_000_000)
        .map(|_| {
            CommandKey::new(
                "ken",
                Uuid::from_u128(u128::from(random.next()) << 64 | u128::from(random.next())),
            )
        })
        .collect();
    let started = Instant::now();
    let mut found = 0;
    for key in &keys {
        found += u32::from(log.find_command(key)?.is_some());
    }
    writeln!(
        out,
        "absent command: {:?} a lookup, {found} found",
        started.elapsed() / 1_000_000
    )?;
    let mut again = Random(0x9e37_79b9_7f4a_7c15);
    let mut hits = Vec::new();
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    for _ in 0..20 {
        let group = group(0, &mut again, &words)?;
        let header = group
            .records
            .first()
            .map(|record| record.header.clone())
            .unwrap_or_default();
        let parsed = ledger_proof::header::LeafHeader::parse(&header)?;
        hits.push((
            CommandKey::new("ken", parsed.causation_id.unwrap_or_default().parse()?),
            parsed.subject.parse::<Uuid>()?,
        ));
    }
    let started = Instant::now();
    let mut found = 0;
    for (command, commitment) in &hits {
        found += usize::from(log.find_command(command)?.is_some())
            + log.commitment_positions(commitment, 0, 10)?.len();
    }
    writeln!(
        out,
        "present command and commitment: {:?} for both, {found} found of {}",
        started.elapsed() / 20,
        hits.len() * 2
    )?;
    Ok(())
}

fn scan(log: &Log, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let (mut at, mut bytes) = (0, 0);
    while at < log.tree_size() {
        let (blocks, next) = log.stored_blocks(at..u64::MAX, 512 << 10)?;
        bytes += blocks.len();
        at = next;
    }
    writeln!(
        out,
        "scan of stored blocks: {:.0} k events/s, {} stored bytes an event, {} MiB resident",
        rate(at, started.elapsed()),
        bytes as u64 / at,
        resident_mib()
    )?;
    Ok(())
}
