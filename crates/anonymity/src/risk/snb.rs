//! Uniques of the population by the slide negative binomial (Chen–Keller-McNulty): population classes are of 1 + NB(α, β) persons
//! (section 4 of the definitions).

use super::population::{Population, Sizes};

/// Places of β at which solutions are looked for, from e^−15 to 1 − e^−15 in steps of a twentieth of its log odds.
const PLACES: i32 = 601;

/// The model as it was fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// K, the population's classes.
    pub classes: f64,
    /// α of the negative binomial.
    pub alpha: f64,
    /// β, its chance.
    pub beta: f64,
}

impl Fitted {
    /// U1 = K β^α.
    pub fn uniques(self) -> f64 {
        self.classes * self.beta.powf(self.alpha)
    }
}

/// Uniques of the population; nothing where no α and β meet both equations.
pub fn snb(sizes: &Sizes, population: Population) -> Option<f64> {
    let result = fit(sizes, population)?.uniques();
    (result.is_finite() && result > 0.0).then_some(result.min(population.size))
}

/// α and β by the numbers of classes of one and of two in the sample.
///
/// The equations may have several solutions: the one with the smallest α is taken, the population whose classes differ most in size.
/// The others say of the same sample that nearly nobody is unique.
pub fn fit(sizes: &Sizes, population: Population) -> Option<Fitted> {
    let (pi, one, two) = (population.fraction(), sizes.of_size(1), sizes.of_size(2));
    if one == 0.0 || two == 0.0 || pi >= 1.0 {
        return None;
    }
    let moments = Moments { pi, classes: classes(sizes, pi)?, one, two };
    let solutions = Branch::BOTH.iter().flat_map(|branch| moments.solutions(*branch));
    solutions.min_by(|a, b| a.alpha.total_cmp(&b.alpha))
}

/// K, the number of population classes: Haas–Stokes, Shlosser's third.
fn classes(sizes: &Sizes, pi: f64) -> Option<f64> {
    let (mut top, mut bottom, mut left, mut right) = (0.0, 0.0, 0.0, 0.0);
    for (size, classes) in &sizes.classes {
        let (i, c) = (f64::from(*size), *classes as f64);
        top += i * pi * pi * (1.0 - pi * pi).powf(i - 1.0) * c;
        // (1−π)^i ((1+π)^i − 1) = (1−π²)^i − (1−π)^i, which does not overflow.
        bottom += ((1.0 - pi * pi).powf(i) - (1.0 - pi).powf(i)) * c;
        left += (1.0 - pi).powf(i) * c;
        right += i * pi * (1.0 - pi).powf(i - 1.0) * c;
    }
    let k = sizes.all + sizes.of_size(1) * (top / bottom) * (left / right).powi(2);
    (k.is_finite() && k >= sizes.all).then_some(k)
}

/// For one β the first equation has two α at most: as α grows its right side rises to a greatest value and falls to 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Branch {
    Rising,
    Falling,
}

impl Branch {
    const BOTH: [Branch; 2] = [Branch::Rising, Branch::Falling];
}

/// The two equations of α and β.
#[derive(Debug, Clone, Copy)]
struct Moments {
    pi: f64,
    /// K.
    classes: f64,
    /// c1.
    one: f64,
    /// c2.
    two: f64,
}

impl Moments {
    /// Solutions of both equations with α on one branch.
    fn solutions(&self, branch: Branch) -> Vec<Fitted> {
        let mut found = Vec::new();
        // The last place and what the second equation was off there; without it where the branch has no α.
        let mut last: Option<(f64, Option<f64>)> = None;
        for at in 0..PLACES {
            let beta = 1.0 / (1.0 + (-f64::from(at - PLACES / 2) / 20.0).exp());
            let off = self.off(beta, branch);
            if let Some((before, was)) = last {
                let (mut low, mut high) = ((before, was), (beta, off));
                // The two branches meet where α ends: a solution near there lies between a place with an α and one without.
                if low.1.is_some() != high.1.is_some() {
                    let end = self.end(low, high, branch);
                    if low.1.is_some() { high = end } else { low = end }
                }
                if let ((low, Some(f)), (high, Some(g))) = (low, high)
                    && (f > 0.0) != (g > 0.0)
                {
                    found.extend(self.between(low, high, f > 0.0, branch));
                }
            }
            last = Some((beta, off));
        }
        found
    }

    /// The outermost place that has an α, between one that has and one that has not.
    fn end(&self, a: (f64, Option<f64>), b: (f64, Option<f64>), branch: Branch) -> (f64, Option<f64>) {
        let (mut inside, mut outside) = if a.1.is_some() { (a, b.0) } else { (b, a.0) };
        for _ in 0..60 {
            let middle = f64::midpoint(inside.0, outside);
            match self.off(middle, branch) {
                Some(off) => inside = (middle, Some(off)),
                None => outside = middle,
            }
        }
        inside
    }

    /// The solution between two places where the second equation is off to different sides.
    fn between(&self, mut low: f64, mut high: f64, positive: bool, branch: Branch) -> Option<Fitted> {
        for _ in 0..100 {
            let beta = f64::midpoint(low, high);
            if beta <= low || beta >= high {
                break;
            }
            if (self.off(beta, branch)? > 0.0) == positive { low = beta } else { high = beta }
        }
        let beta = f64::midpoint(low, high);
        Some(Fitted { classes: self.classes, alpha: self.alpha(beta, branch)?, beta })
    }

    /// By how much c2 = K α π² β^α (1−β) (2 − (1−α)x) / (2 (1−x)^(α+2)) is missed at the branch's α.
    fn off(&self, beta: f64, branch: Branch) -> Option<f64> {
        let alpha = self.alpha(beta, branch)?;
        let x = (1.0 - self.pi) * (1.0 - beta);
        let ln = alpha * beta.ln() + (1.0 - beta).ln() + (2.0 - (1.0 - alpha) * x).ln() - (alpha + 2.0) * (1.0 - x).ln();
        Some(self.classes * alpha * self.pi * self.pi * ln.exp() / 2.0 - self.two)
    }

    /// α of c1 = Kπ r^α (1 + αx/(1−x)), r = β/(1−x) < 1, on one branch.
    ///
    /// The right side is greatest at α* = −1/ln r − (1−x)/x, and Kπ at α = 0.
    fn alpha(&self, beta: f64, branch: Branch) -> Option<f64> {
        let x = (1.0 - self.pi) * (1.0 - beta);
        let ln = (beta / (1.0 - x)).ln();
        let target = self.one / (self.classes * self.pi);
        let f = |alpha: f64| (alpha * ln).exp() * (1.0 + alpha * x / (1.0 - x)) - target;
        let top = (-1.0 / ln - (1.0 - x) / x).max(0.0);
        if !top.is_finite() || f(top) < 0.0 {
            return None;
        }
        // f is below 0 at `under` and not at `over`.
        let (mut under, mut over) = match branch {
            Branch::Rising if f(0.0) < 0.0 => (0.0, top),
            Branch::Rising => return None,
            Branch::Falling => {
                let (mut over, mut under) = (top, 2.0 * top + 1.0);
                while f(under) >= 0.0 {
                    (over, under) = (under, 2.0 * under);
                    if under > 1e9 {
                        return None;
                    }
                }
                (under, over)
            }
        };
        for _ in 0..100 {
            let middle = f64::midpoint(under, over);
            if middle == under || middle == over {
                break;
            }
            if f(middle) < 0.0 { under = middle } else { over = middle }
        }
        Some(f64::midpoint(under, over))
    }
}
