//! Worlds in which two models answer the same rows, each row drawn on its own: scores of calibrated and of miscalibrated models
//! for common and for rare events, and errors of a regression.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use regent::contract::Task;
use regent::evaluate::Answers;

/// How two models answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answering {
    /// The log odds of what comes true are normal; each model sees them through noise of its own.
    Noisy { centre: f64, spread: f64, champion: f64, challenger: f64 },
    /// The same log odds; each model draws them towards their centre by a factor, and 1 is perfect calibration.
    Timid { centre: f64, spread: f64, champion: f64, challenger: f64 },
    /// A standard normal that nobody sees, and errors on top of it.
    Numbers { champion: f64, challenger: f64 },
}

/// A world with its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) answering: Answering,
}

/// Where absolute errors are clipped: about the 95 % quantile of a champion's.
pub(crate) const CLIP: f64 = 2.2;

const fn noisy(name: &'static str, centre: f64, spread: f64, champion: f64, challenger: f64) -> World {
    World { name, answering: Answering::Noisy { centre, spread, champion, challenger } }
}

const fn timid(name: &'static str, centre: f64, spread: f64, champion: f64, challenger: f64) -> World {
    World { name, answering: Answering::Timid { centre, spread, champion, challenger } }
}

const fn numbers(name: &'static str, champion: f64, challenger: f64) -> World {
    World { name, answering: Answering::Numbers { champion, challenger } }
}

/// The challenger is better, from much to little.
pub(crate) const BETTER: [World; 9] = [
    timid("a model after the base rate", -1.0, 1.5, 0.0, 1.0),
    numbers("numbers, better", 0.5, 0.0),
    noisy("a sharper model", -1.0, 1.5, 1.0, 0.3),
    timid("calibrated after timid", -1.0, 1.5, 0.5, 1.0),
    timid("calibrated after a little timid", -1.0, 1.5, 0.7, 1.0),
    noisy("rare events, sharper", -3.5, 1.2, 0.8, 0.3),
    numbers("numbers, a little better", 0.5, 0.4),
    timid("rare events, calibrated", -4.0, 1.2, 0.3, 1.0),
    noisy("a little sharper", -1.0, 1.5, 0.6, 0.4),
];

/// The challenger is as good, or worse by about the margin that a change must win.
pub(crate) const NO_BETTER: [World; 6] = [
    noisy("as good", -1.0, 1.5, 0.6, 0.6),
    noisy("worse", -1.0, 1.5, 0.5, 0.6),
    timid("worse calibrated", -1.0, 1.5, 1.0, 0.7),
    noisy("rare events, as good", -3.5, 1.2, 0.6, 0.6),
    noisy("rare events, worse", -3.5, 1.2, 0.6, 0.7),
    numbers("numbers, as good", 0.5, 0.5),
];

impl World {
    pub(crate) fn task(&self) -> Task {
        match self.answering {
            Answering::Noisy { .. } | Answering::Timid { .. } => Task::Binary,
            Answering::Numbers { .. } => Task::Regression,
        }
    }

    /// No gain is further from 0 than this.
    pub(crate) fn bound(&self) -> f64 {
        match self.task() {
            Task::Binary => 1.0,
            Task::Regression => CLIP,
        }
    }

    /// Champion's less challenger's loss, the one that the judges compare.
    pub(crate) fn gain(&self, row: Answers) -> f64 {
        self.loss(row.champion, row.label) - self.loss(row.challenger, row.label)
    }

    pub(crate) fn loss(&self, answer: f64, label: f64) -> f64 {
        match self.task() {
            Task::Binary => (answer - label).powi(2),
            Task::Regression => (answer - label).abs().min(CLIP),
        }
    }

    /// Rows of one run, without an end.
    pub(crate) fn rows(self, run: u64) -> Rows {
        // The name is part of the seed, so that worlds are independent of each other and of their order.
        let name = self.name.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Rows { world: self, draws: Pcg64::new(u128::from(run), u128::from(name)), spare: None }
    }
}

/// The rows of a world, each drawn on its own.
pub(crate) struct Rows {
    world: World,
    draws: Pcg64,
    spare: Option<f64>,
}

impl Rows {
    fn uniform(&mut self) -> f64 {
        (self.draws.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Box–Muller, two at a time.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (radius, angle) = ((-2.0 * (1.0 - self.uniform()).ln()).sqrt(), std::f64::consts::TAU * self.uniform());
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }

    fn binary(&mut self, odds: f64, champion: f64, challenger: f64) -> Answers {
        let probability = |odds: f64| 1.0 / (1.0 + (-odds).exp());
        let label = f64::from(u8::from(self.uniform() < probability(odds)));
        Answers { champion: probability(champion), challenger: probability(challenger), label }
    }
}

impl Iterator for Rows {
    type Item = Answers;

    fn next(&mut self) -> Option<Answers> {
        Some(match self.world.answering {
            Answering::Noisy { centre, spread, champion, challenger } => {
                let odds = centre + spread * self.normal();
                let (mine, theirs) = (odds + champion * self.normal(), odds + challenger * self.normal());
                self.binary(odds, mine, theirs)
            }
            Answering::Timid { centre, spread, champion, challenger } => {
                let beyond = spread * self.normal();
                self.binary(centre + beyond, centre + champion * beyond, centre + challenger * beyond)
            }
            Answering::Numbers { champion, challenger } => {
                let label = self.normal();
                Answers { champion: champion * self.normal(), challenger: challenger * self.normal(), label }
            }
        })
    }
}

/// What is true of a world, measured on many rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// The mean gain, and as a share of the champion's loss.
    pub(crate) gain: f64,
    pub(crate) share: f64,
    /// The standard deviation of one row's gain.
    pub(crate) deviation: f64,
}

impl Facts {
    pub(crate) fn of(world: World) -> Facts {
        let rows = 1_000_000;
        let (mut sum, mut squares, mut losses) = (0.0, 0.0, 0.0);
        for row in world.rows(u64::MAX).take(rows) {
            let gain = world.gain(row);
            sum += gain;
            squares += gain * gain;
            losses += world.loss(row.champion, row.label);
        }
        let gain = sum / rows as f64;
        Facts { gain, share: sum / losses, deviation: (squares / rows as f64 - gain * gain).sqrt() }
    }

    /// The rows of a one-sided z-test that finds this gain with 80 % power: ((z₁₋α + z₀.₈)·σ/δ)².
    pub(crate) fn fixed_horizon(&self, z: f64) -> usize {
        ((z + 0.841_621) * self.deviation / self.gain).powi(2).ceil() as usize
    }
}
