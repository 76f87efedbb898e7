//! Commitments of the Open Government Partnership with the assessments of its Independent Reporting Mechanism (IRM).
//!
//! The input is neutral JSON lines: `RecordCommitment`, `AssessAmbition`, `AssessProgress` and `WithdrawCommitment`, each
//! after what it refers to. The lead is the party, that is the State or the local member; the agency that carries a
//! commitment out is data, kept in its description. Grades are kept in the mechanism's own words: `Unclear`, `ND` (no data
//! under that method), `NR` (not reviewed) and `NA` are grades like others and mean different things.
//!
//! The importer sends as four kinds of partners, which root registers first: its own for the catalogue and the
//! States, one for each local member (a list of them would differ from file to file, and a partner is registered once),
//! and the mechanism, which assesses and never reports.

mod dates;
mod plan;

use super::members::{self, Member as Listed};
use super::outbox::Outbox;
use super::records::each_line;
use super::sender::Sender;
use super::{Edits, LineError, LineFault};
use dates::{Dates, dates};
use ledger_domain::country;
use ledger_domain::date::PartialDate;
use ledger_domain::ids::{ActionCode, CountryCode, InstrumentId, PartnerId, PartyId, Subject};
use ledger_domain::wire::v1::{
    ActionKind, AssessAmbition, AssessProgress, CatalogueAction, Command, CommandBody, Completion,
    Grade, InstrumentKind, PartyKind, PublishInstrument, RecordCommitment, RegisterPartner,
    RegisterParty, Role, Root, Source, TextStatus, WithdrawCommitment,
};
use plan::plan_number;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use uuid::Uuid;

pub use dates::DateFault;

/// The partner that the importer sends as. For a local member it is this, a hyphen and the member's code.
pub const PARTNER: &str = "import-ogp";

/// The assessor: a partner, and the party it speaks for.
pub const ASSESSOR: &str = "OGP-IRM";

/// The instrument that is published.
pub const INSTRUMENT: &str = "OGP";

/// The theme that all commitments of the source stand under.
const THEME: &str = "OGP-OpenParliament";

/// Namespace of all ids that the importer derives (UUID version 5); never to be changed, or a second import would
/// record everything again.
const NAMESPACE: Uuid = Uuid::from_u128(0x2b90_61c4_5d1e_4f7a_a3c8_0e6f_94d7_1b25);

/// The year of the Partnership's first action plans: the time of what has no date of its own.
const FIRST_PLANS: &str = "2011";

/// The first year of action plans that the mechanism assessed by its newer method, with the potential for results in
/// place of the potential impact, and early results in place of "Did it open government?".
const NEW_METHOD_YEAR: u32 = 2020;

/// What an import comes to.
#[derive(Debug, Default)]
pub struct OgpImport {
    /// The commands in the order in which they are to be sent.
    pub commands: Vec<Command>,
    /// Commitments.
    pub commitment_count: u64,
    /// Assessments of what was promised.
    pub ambition_count: u64,
    /// Assessments of what was done.
    pub progress_count: u64,
    /// Withdrawals.
    pub withdrawal_count: u64,
    /// Members that the file makes parties of the ledger: their codes, names and countries.
    pub registered: Vec<Registered>,
    /// What was done to their texts.
    pub edits: Edits,
    /// Dates that are none, or cannot be what they say: they stand in the description as text.
    pub date_notes: Vec<DateNote>,
    /// Lines that could not be used, each with why.
    pub refused_lines: Vec<LineError>,
}

/// A member that the import registers as a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The party.
    pub party: PartyId,
    /// What it is called.
    pub name: String,
    /// Its country, if it has one.
    pub country: Option<CountryCode>,
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "party {} is registered: {}", self.party, self.name)?;
        match &self.country {
            Some(country) => write!(f, " ({country})"),
            None => f.write_str(" (no country)"),
        }
    }
}

/// A date that was left as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateNote {
    /// The line it stands in, from 1.
    pub line: u64,
    /// The commitment's reference in the source.
    pub reference: String,
    /// Which date: `start` or `end`.
    pub which: &'static str,
    /// The date as the source had it.
    pub text: String,
    /// Why it is not taken.
    pub fault: DateFault,
}

impl fmt::Display for DateNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: {}: the {} `{}` {}; kept as text",
            self.line, self.reference, self.which, self.text, self.fault
        )
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "command")]
enum Record {
    #[serde(rename = "RecordCommitment")]
    Commitment(Commitment),
    #[serde(rename = "AssessAmbition")]
    Ambition(Ambition),
    #[serde(rename = "AssessProgress")]
    Progress(Progress),
    #[serde(rename = "WithdrawCommitment")]
    Withdrawal(Withdrawal),
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Commitment {
    subject: String,
    party: String,
    /// The year its action plan was submitted.
    recorded_at: String,
    effective_at: Option<String>,
    due: Option<String>,
    /// Start and end as the source wrote them.
    raw_dates: [String; 2],
    title: String,
    /// The agency that carries it out.
    lead: String,
    #[serde(default)]
    supporting: Vec<String>,
    level: String,
    /// The action plan, like `AP_USA01`.
    plan: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct Ambition {
    subject: String,
    recorded_at: String,
    effective_at: Option<String>,
    specificity: String,
    verifiable: String,
    potential_impact: String,
    potential_for_results: String,
}

#[derive(Debug, Deserialize)]
struct Progress {
    subject: String,
    recorded_at: String,
    effective_at: Option<String>,
    /// `midterm` or `end_of_term`.
    report: String,
    completion: String,
    diog: Option<String>,
    early_results: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Withdrawal {
    subject: String,
    recorded_at: String,
    effective_at: Option<String>,
    report: String,
}

/// Who leads a commitment, and the partner that speaks for it.
#[derive(Debug, Clone)]
struct Member {
    partner: PartnerId,
    party: PartyId,
}

/// What later lines need to know of a commitment.
struct Known {
    member: Member,
    method_version: &'static str,
    line: u64,
    record: Commitment,
}

/// Turns the lines of a file into commands: first the partners, the instrument and its theme, then what the file has, in
/// its order; a local member or an action plan's turn comes before its first use. `root` is the ledger's root partner,
/// which registers the others.
///
/// The same lines give the same commands, byte for byte, whenever and wherever they are read.
pub fn import<'a>(lines: impl IntoIterator<Item = &'a str>, root: &Root) -> OgpImport {
    let mut importer = match Importer::new(root) {
        Ok(importer) => importer,
        Err(error) => {
            let refused = LineError {
                line: 0,
                fault: error,
            };
            return OgpImport {
                refused_lines: vec![refused],
                ..OgpImport::default()
            };
        }
    };
    let refused = each_line(lines, |number, line| {
        match serde_json::from_str(line).map_err(LineFault::Record)? {
            Record::Commitment(record) => importer.commitment(number, record),
            Record::Ambition(record) => importer.ambition(number, &record),
            Record::Progress(record) => importer.progress(number, &record),
            Record::Withdrawal(record) => importer.withdrawal(number, &record),
        }
    });
    OgpImport {
        refused_lines: refused,
        commands: importer.outbox.into_commands(),
        ..importer.import
    }
}

struct Importer<'r> {
    root: &'r Root,
    sender: Sender,
    partner: PartnerId,
    instrument: InstrumentId,
    assessor: (PartnerId, PartyId),
    known: HashMap<String, Known>,
    registered: BTreeSet<PartyId>,
    catalogued: BTreeSet<ActionCode>,
    outbox: Outbox,
    import: OgpImport,
}

impl<'r> Importer<'r> {
    /// An importer that has registered the partners, and published the instrument with its theme.
    fn new(root: &'r Root) -> Result<Self, LineFault> {
        let mut importer = Self {
            root,
            sender: Sender {
                namespace: NAMESPACE,
                since: FIRST_PLANS.parse().ok(),
            },
            partner: PARTNER.parse()?,
            instrument: INSTRUMENT.parse()?,
            assessor: (ASSESSOR.parse()?, ASSESSOR.parse()?),
            known: HashMap::new(),
            registered: BTreeSet::new(),
            catalogued: BTreeSet::new(),
            outbox: Outbox::default(),
            import: OgpImport::default(),
        };
        let mut parties = vec![root.party.clone()];
        for state in country::members() {
            parties.push(PartyId::try_from(state.code.as_str())?);
        }
        let partner = importer.partner.clone();
        let name = "Importer of the Open Government Partnership";
        let roles = vec![Role::Secretariat, Role::Reporter];
        importer.register_partner((0, &partner), name, roles, parties)?;
        let instrument = CommandBody::PublishInstrument(PublishInstrument {
            language: None,
            title: "Open Government Partnership: commitments on open parliaments".to_owned(),
            kind: InstrumentKind::Other,
            adopted: None,
            symbol: None,
            url: None,
            principles: Vec::new(),
        });
        importer.about_instrument((0, "publish_instrument"), instrument)?;
        importer.catalogue(0, THEME.parse()?, "Open Parliament".to_owned(), None)?;
        let (assessor, party) = importer.assessor.clone();
        let name = "Independent Reporting Mechanism of the Open Government Partnership";
        importer.register_partner(
            (0, &assessor),
            name,
            vec![Role::Assessor],
            vec![party.clone()],
        )?;
        importer.register_party(
            (0, party),
            RegisterParty {
                name: name.to_owned(),
                kind: PartyKind::CivilSociety,
                country: None,
            },
        )?;
        Ok(importer)
    }

    fn commitment(&mut self, line: u64, record: Commitment) -> Result<(), LineFault> {
        if let Some(known) = self.known.get(&record.subject) {
            if known.record == record {
                return Ok(());
            }
            return Err(LineFault::Contradiction {
                first: known.line,
                what: record.subject,
            });
        }
        let submitted = date(&record.recorded_at)?;
        let member = self.member(line, &record)?;
        let action = self.action_of(line, &record.plan)?;
        let body = self.commitment_body(line, &record, action);
        let name = format!("record_commitment {}", record.subject);
        let who = (&member.partner, &member.party);
        self.about_commitment((line, &name), &record.subject, who, submitted, body)?;
        self.import.commitment_count += 1;
        let known = Known {
            member,
            method_version: method_version(submitted),
            line,
            record,
        };
        self.known.insert(known.record.subject.clone(), known);
        Ok(())
    }

    fn commitment_body(
        &mut self,
        line: u64,
        record: &Commitment,
        action: ActionCode,
    ) -> CommandBody {
        let dates = self.dates(line, record);
        let edits = &mut self.import.edits;
        let full_title = edits.clean(&record.title);
        let title = edits.title(&full_title);
        let mut text = edits.clean(&record.text);
        if title != full_title {
            text = format!("{full_title}\n\n{text}");
        }
        let about = about(edits, record, &dates);
        CommandBody::RecordCommitment(RecordCommitment {
            language: None,
            title,
            description: Some(edits.fitting(&text, &about)),
            actions: vec![action],
            form: None,
            nature: None,
            matches: None,
            participants: Vec::new(),
            milestones: Vec::new(),
            countries: Vec::new(),
            principles: Vec::new(),
            measure: None,
            made: dates.made,
            due: dates.due,
            source: Some(Source {
                system: INSTRUMENT.to_owned(),
                reference: edits.clean_line(&record.subject),
                url: None,
            }),
            illustrative: false,
        })
    }

    fn ambition(&mut self, line: u64, record: &Ambition) -> Result<(), LineFault> {
        let made = date(&record.recorded_at)?;
        let mut edits = self.import.edits;
        let mut grade = |dimension: &str, grade: &str| Grade {
            dimension: dimension.to_owned(),
            grade: edits.clean_line(grade),
        };
        let body = AssessAmbition {
            language: None,
            method: ASSESSOR.parse()?,
            method_version: self.known(&record.subject)?.method_version.parse()?,
            grades: vec![
                grade("specificity", &record.specificity),
                grade("verifiable", &record.verifiable),
                grade("potential_impact", &record.potential_impact),
                grade("potential_for_results", &record.potential_for_results),
            ],
            assessed: optional_date(record.effective_at.as_deref())?,
            summary: None,
        };
        let name = format!("assess_ambition {}", record.subject);
        let (partner, party) = self.assessor.clone();
        let body = CommandBody::AssessAmbition(body);
        let who = (&partner, &party);
        if self.about_commitment((line, &name), &record.subject, who, made, body)? {
            self.import.ambition_count += 1;
            self.import.edits = edits;
        }
        Ok(())
    }

    fn progress(&mut self, line: u64, record: &Progress) -> Result<(), LineFault> {
        let made = date(&record.recorded_at)?;
        let mut edits = self.import.edits;
        let body = AssessProgress {
            language: None,
            method: ASSESSOR.parse()?,
            method_version: self.known(&record.subject)?.method_version.parse()?,
            grade: edits.clean_line(&record.completion),
            completion: completion(&record.completion),
            period: None,
            assessed: optional_date(record.effective_at.as_deref())?,
            summary: Some(edits.clean(&summary(record))),
            evidence: Vec::new(),
        };
        let name = format!("assess_progress {} {}", record.subject, record.report);
        let (partner, party) = self.assessor.clone();
        let body = CommandBody::AssessProgress(body);
        let who = (&partner, &party);
        if self.about_commitment((line, &name), &record.subject, who, made, body)? {
            self.import.progress_count += 1;
            self.import.edits = edits;
        }
        Ok(())
    }

    /// The mechanism noted the withdrawal; it is the lead that withdrew.
    fn withdrawal(&mut self, line: u64, record: &Withdrawal) -> Result<(), LineFault> {
        let made = date(&record.recorded_at)?;
        let Member { partner, party } = self.known(&record.subject)?.member.clone();
        let reason = self.import.edits.clean(&format!(
            "The source gives no reason: the {} report of {} lists the commitment as withdrawn.",
            report_words(&record.report),
            record.recorded_at
        ));
        let body = WithdrawCommitment {
            reason,
            effective: optional_date(record.effective_at.as_deref())?,
        };
        let name = format!("withdraw_commitment {}", record.subject);
        let body = CommandBody::WithdrawCommitment(body);
        let who = (&partner, &party);
        if self.about_commitment((line, &name), &record.subject, who, made, body)? {
            self.import.withdrawal_count += 1;
        }
        Ok(())
    }

    fn known(&self, subject: &str) -> Result<&Known, LineFault> {
        self.known
            .get(subject)
            .ok_or_else(|| LineFault::Unknown(subject.to_owned()))
    }

    /// The dates that can be taken; the others are noted.
    fn dates(&mut self, line: u64, record: &Commitment) -> Dates {
        let given = [record.effective_at.as_deref(), record.due.as_deref()];
        let dates = dates(given, &record.raw_dates);
        for (which, text, fault) in &dates.faults {
            self.import.date_notes.push(DateNote {
                line,
                reference: record.subject.clone(),
                which,
                text: text.clone(),
                fault: *fault,
            });
        }
        dates
    }

    /// The member that leads, and the partner that speaks for it; both registered where they are seen for the first time and
    /// are not in every ledger, as the member States are.
    fn member(&mut self, line: u64, record: &Commitment) -> Result<Member, LineFault> {
        let code = &record.party;
        let listed = members::member(code, &record.level).ok_or_else(|| LineFault::Member {
            code: code.clone(),
            or_local: ", or, with the level Local, a local member's: its State's two letters and two more",
        })?;
        let (code, registration) = match listed {
            Listed::State(country) => {
                return Ok(Member {
                    partner: self.partner.clone(),
                    party: country.code.as_str().parse()?,
                });
            }
            Listed::Observer(country) => (country.code.to_string(), None),
            Listed::Other { code, party } => (code, Some(party)),
        };
        let party: PartyId = code.parse()?;
        let partner: PartnerId = format!("{PARTNER}-{code}").parse()?;
        if self.registered.insert(party.clone()) {
            let name = format!("Importer of the Open Government Partnership for {code}");
            let parties = vec![party.clone()];
            self.register_partner((line, &partner), &name, vec![Role::Reporter], parties)?;
            if let Some(registration) = registration {
                self.import.registered.push(Registered {
                    party: party.clone(),
                    name: registration.name.clone(),
                    country: registration.country,
                });
                self.register_party((line, party.clone()), registration)?;
            }
        }
        Ok(Member { partner, party })
    }

    /// What the commitments of a country's first, second … action plan attach to, so that one can see whether later plans
    /// fare better; the theme itself where the plan has no number.
    fn action_of(&mut self, line: u64, plan: &str) -> Result<ActionCode, LineFault> {
        let theme: ActionCode = THEME.parse()?;
        let Some(number) = plan_number(plan) else {
            return Ok(theme);
        };
        let code: ActionCode = format!("{THEME}.{number}").parse()?;
        if !self.catalogued.contains(&code) {
            let title = format!("Open Parliament in a member's action plan number {number}");
            self.catalogue(line, code.clone(), title, Some(theme))?;
        }
        Ok(code)
    }

    fn catalogue(
        &mut self,
        line: u64,
        code: ActionCode,
        title: String,
        parent: Option<ActionCode>,
    ) -> Result<(), LineFault> {
        let body = CommandBody::CatalogueAction(CatalogueAction {
            code: code.clone(),
            title,
            parent,
            text_status: TextStatus::ThemeSeen,
            description: None,
            kind: Some(ActionKind::Theme),
        });
        self.about_instrument((line, &format!("catalogue_action {code}")), body)?;
        self.catalogued.insert(code);
        Ok(())
    }

    fn register_partner(
        &mut self,
        (line, partner): (u64, &PartnerId),
        name: &str,
        roles: Vec<Role>,
        parties: Vec<PartyId>,
    ) -> Result<(), LineFault> {
        let body = CommandBody::RegisterPartner(RegisterPartner {
            name: name.to_owned(),
            roles,
            parties,
            focal_point_for: Vec::new(),
        });
        let who = (&self.root.partner, &self.root.party);
        let subject = Subject::Partner(partner.clone());
        let name = format!("register_partner {partner}");
        let command = self.sender.command(&name, who, subject, None, body);
        self.outbox.add(line, &name, command).map(|_| ())
    }

    fn register_party(
        &mut self,
        (line, party): (u64, PartyId),
        body: RegisterParty,
    ) -> Result<(), LineFault> {
        let who = (&self.partner, &self.root.party);
        let name = format!("register_party {party}");
        let body = CommandBody::RegisterParty(body);
        let subject = Subject::Party(party);
        let command = self.sender.command(&name, who, subject, None, body);
        self.outbox.add(line, &name, command).map(|_| ())
    }

    fn about_instrument(
        &mut self,
        (line, name): (u64, &str),
        body: CommandBody,
    ) -> Result<(), LineFault> {
        let who = (&self.partner, &self.root.party);
        let subject = Subject::Instrument(self.instrument.clone());
        let command = self.sender.command(name, who, subject, None, body);
        self.outbox.add(line, name, command).map(|_| ())
    }

    /// Adds a command about a commitment; whether it was not there yet.
    fn about_commitment(
        &mut self,
        (line, name): (u64, &str),
        reference: &str,
        who: (&PartnerId, &PartyId),
        made: PartialDate,
        body: CommandBody,
    ) -> Result<bool, LineFault> {
        let subject = Subject::Commitment(self.sender.commitment(reference));
        let command = self.sender.command(name, who, subject, Some(made), body);
        self.outbox.add(line, name, command)
    }
}

fn date(text: &str) -> Result<PartialDate, LineFault> {
    text.parse().map_err(|_| LineFault::Date(text.to_owned()))
}

fn optional_date(text: Option<&str>) -> Result<Option<PartialDate>, LineFault> {
    text.map(date).transpose()
}

fn method_version(submitted: PartialDate) -> &'static str {
    if submitted.year() < NEW_METHOD_YEAR {
        "before-2020"
    } else {
        "2020"
    }
}

/// The completion that a grade means beyond doubt: the same word. Any other grade means what the mechanism says, no more.
fn completion(grade: &str) -> Option<Completion> {
    match grade {
        "Not Started" => Some(Completion::NotStarted),
        "Limited" => Some(Completion::Limited),
        "Substantial" => Some(Completion::Substantial),
        "Complete" => Some(Completion::Complete),
        _ => None,
    }
}

fn report_words(report: &str) -> String {
    report.replace('_', "-")
}

/// Which report it was, and what else it graded, in its own words.
fn summary(record: &Progress) -> String {
    let mut summary = format!(
        "From the {} report of {}.",
        report_words(&record.report),
        record.recorded_at
    );
    let others = [
        ("Did it open government", &record.diog),
        ("Early results", &record.early_results),
    ];
    for (dimension, grade) in others {
        let words = grade
            .as_ref()
            .map(|grade| format!(" {dimension}: {grade}."));
        summary.extend(words);
    }
    summary
}

/// What the record has beside its text: agencies, level, action plan, and dates that are none.
fn about(edits: &mut Edits, record: &Commitment, dates: &Dates) -> String {
    let mut about = format!("Lead agency: {}\nSupporting: ", record.lead);
    if record.supporting.is_empty() {
        about.push_str("none named");
    } else {
        about.push_str(&record.supporting.join("; "));
    }
    about.extend(["\nLevel: ", &record.level, "\nAction plan: ", &record.plan]);
    about.extend([", submitted in ", &record.recorded_at]);
    if dates.as_text {
        let [start, end] = &record.raw_dates;
        about.extend(["\nDates in the source: start ", start, ", end ", end]);
    }
    format!("\n\n{}", edits.clean(&about))
}

#[cfg(test)]
mod tests;
