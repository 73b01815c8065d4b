/// A row as one number: each column has its bits.
pub trait Key: Copy + Eq + Ord + Send + Sync + std::fmt::Debug + 'static {
    /// Bits that there are.
    const BITS: u32;
    /// No bit set.
    const ZERO: Self;
    /// The code of a field.
    fn get(self, field: Field) -> u32;
    /// With a code put where the field's bits are zero.
    fn with(self, field: Field, code: u32) -> Self;
    /// Without the bits of the mask.
    fn without(self, mask: Self) -> Self;
    /// A mask of a field's bits.
    fn mask(field: Field) -> Self;
    /// Bits of either.
    fn or(self, other: Self) -> Self;
    /// A spread of the bits; the upper ones are the good ones.
    fn hash(self) -> u64;
    /// From the widest.
    fn narrow(wide: u128) -> Self;
    /// To the widest.
    fn wide(self) -> u128;
}

/// Where a column's code stands in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Lowest bit.
    pub shift: u32,
    /// Number of bits, at most 32.
    pub bits: u32,
}

impl Field {
    /// Bits that codes `0..values` need.
    pub fn width(values: usize) -> u32 {
        usize::BITS - values.saturating_sub(1).leading_zeros()
    }

    fn low(self) -> u64 {
        (1u64 << self.bits) - 1
    }
}

// Odd numbers whose bits look random (fractions of the golden ratio and of √2).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const SPREAD_HIGH: u64 = 0x6a09_e667_f3bc_c909;

impl Key for u64 {
    const BITS: u32 = 64;
    const ZERO: Self = 0;

    #[inline(always)]
    fn get(self, field: Field) -> u32 {
        (self.checked_shr(field.shift).unwrap_or(0) & field.low()) as u32
    }

    #[inline(always)]
    fn with(self, field: Field, code: u32) -> Self {
        self | u64::from(code).checked_shl(field.shift).unwrap_or(0)
    }

    #[inline(always)]
    fn without(self, mask: Self) -> Self {
        self & !mask
    }

    #[inline(always)]
    fn mask(field: Field) -> Self {
        field.low().checked_shl(field.shift).unwrap_or(0)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn hash(self) -> u64 {
        let mixed = self.wrapping_mul(SPREAD);
        (mixed ^ (mixed >> 32)).wrapping_mul(SPREAD)
    }

    fn narrow(wide: u128) -> Self {
        wide as u64
    }

    fn wide(self) -> u128 {
        u128::from(self)
    }
}

impl Key for u128 {
    const BITS: u32 = 128;
    const ZERO: Self = 0;

    #[inline(always)]
    fn get(self, field: Field) -> u32 {
        (self.checked_shr(field.shift).unwrap_or(0) as u64 & field.low()) as u32
    }

    #[inline(always)]
    fn with(self, field: Field, code: u32) -> Self {
        self | u128::from(code).checked_shl(field.shift).unwrap_or(0)
    }

    #[inline(always)]
    fn without(self, mask: Self) -> Self {
        self & !mask
    }

    #[inline(always)]
    fn mask(field: Field) -> Self {
        u128::from(field.low()).checked_shl(field.shift).unwrap_or(0)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn hash(self) -> u64 {
        let mixed = (self as u64).wrapping_mul(SPREAD) ^ ((self >> 64) as u64).wrapping_mul(SPREAD_HIGH);
        (mixed ^ (mixed >> 32)).wrapping_mul(SPREAD)
    }

    fn narrow(wide: u128) -> Self {
        wide
    }

    fn wide(self) -> u128 {
        self
    }
}
