//! A codebook: the centroids and residual tables that the codes of a segment refer to (SPEC.md section 3).

use std::path::Path;

use weft_kernels::{CentroidPanels, ResidualTable, f16_to_f32, f32_to_f16, quantise_centroids};

use super::encode::decoded_norm;
use super::parts::{CodebookParts, MAX_CENTROIDS};
use super::table::ResidualTables;
use super::{CentroidType, Codec, check_dim, check_nbits};
use crate::bitmap::Bitmap;
use crate::cluster::assign::Assigner;
use crate::cluster::centroid_count;
use crate::cluster::kmeans::{self, Clustering, norm};
use crate::cluster::random::Random;
use crate::error::{Error, Result};
use crate::format::read::Container;
use crate::format::write::ContainerWriter;
use crate::format::{FileIdentity, FileSeal};
use crate::progress::Reporter;

const HEAD: u32 = 1;
const CENTROIDS: u32 = 2;
const CENTROID_BYTES: u32 = 3;
const CENTROID_SCALES: u32 = 4;
const CUTOFFS: u32 = 5;
const WEIGHTS: u32 = 6;
const GROUPS: u32 = 7;
const ORDER: u32 = 8;
const HEAD_BYTES: usize = 64;

/// Tokens a centroid is trained on: late-interaction.md's lower figure for large collections. PLAID's code takes up to 256.
const POINTS_PER_CENTROID: u64 = 32;
/// The sample stays below this, whatever the size of the collection.
pub(super) const SAMPLE_BYTES: u64 = 768 << 20;
/// Tokens held out for the residual tables at most, as in ColBERTv2.
const HELD_OUT: u64 = 50_000;
/// Groups of centroids a token looks into when it is coded.
const CODING_PROBES: usize = 8;

/// The numbers of a codebook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CodebookHead {
    pub(crate) dim: usize,
    pub(crate) nbits: u32,
    pub(crate) codec: Codec,
    pub(crate) centroids: usize,
    /// How the centroids are kept. Since format version 3; in those of version 2 it is float16.
    pub(crate) centroid_type: CentroidType,
    /// Length of the longest centroid; 1 for those that are of unit length but for rounding, as in version 2. Scores go as far.
    pub(crate) reach: f32,
    /// `1 / norm` of byte 0.
    pub(crate) norm_base: f32,
    /// What one step of the byte adds.
    pub(crate) norm_step: f32,
    pub(crate) mean_residual: f32,
    /// Tokens of the collection when it was trained, or grew last.
    pub(crate) tokens: u64,
    pub(crate) trained_on: u64,
    /// Number of the codebook that this one began as; codes of all codebooks with this root mean the same. Zero in one that
    /// was never written: its own number is the root then.
    pub(crate) root: u64,
}

/// A codebook that was just trained.
pub(crate) struct Trained {
    pub(crate) head: CodebookHead,
    /// `[K][dim]`, in the order of their codes.
    pub(crate) centroids: Vec<f32>,
    /// Codes, group by group.
    pub(crate) order: Vec<u32>,
    pub(crate) group_ends: Vec<u32>,
    pub(crate) tables: ResidualTables,
}

/// Where training takes its vectors from.
pub(crate) trait Rows {
    /// Number of rows.
    fn len(&self) -> u64;
    /// Appends the rows with these ascending numbers, f16.
    fn gather(&self, rows: &[u64], out: &mut Vec<u16>) -> Result<()>;
}

/// Trains a codebook on a seeded sample of the rows.
pub(crate) fn train(
    rows: &dyn Rows,
    dim: usize,
    nbits: u32,
    codec: Codec,
    seed: u64,
    reporter: &Reporter,
) -> Result<Trained> {
    let tokens = rows.len();
    let wanted = (centroid_count(tokens) as u64 * POINTS_PER_CENTROID).max(1 << 16);
    let count = wanted.min(SAMPLE_BYTES / (2 * dim as u64)).min(tokens);
    let mut random = Random::new(seed);
    let mut sample = Vec::with_capacity(count as usize * dim);
    rows.gather(&random.choose(tokens, count), &mut sample)?;
    // Every twentieth row, as many as ColBERTv2 holds out, but always one.
    let held_rows = (count / 20).clamp(1, HELD_OUT).min(count);
    let (trained_on, held) = split(sample, dim, count, held_rows, &mut random);

    let k = centroid_count(tokens);
    let mut clustering = kmeans::train(&trained_on, dim, k, seed, reporter)?;
    let count = trained_on.len() / dim;
    drop(trained_on);
    let mut points = vec![0.0; held.len()];
    f16_to_f32(&held, &mut points);
    // ColBERTv2 takes its quantiles before it rounds the centroids; our tables see what they will be used with.
    let unrounded = (codec == Codec::Plaid).then(|| clustering.centroids.clone());
    CentroidType::Float16.round(&mut clustering.centroids);
    let mut codes = vec![0; points.len() / dim];
    let centroids = unrounded.as_ref().unwrap_or(&clustering.centroids);
    match codec {
        Codec::Plaid => {
            let panels = CentroidPanels::new(centroids, dim);
            let mut scores = vec![0.0; codes.len()];
            weft_kernels::nearest(&points, &panels, &mut codes, &mut scores);
        }
        Codec::Weft => Assigner::new(&clustering, CODING_PROBES).assign(&points, &mut codes),
    }
    let mut lengths = 0.0_f64;
    let mut components = Vec::with_capacity(points.len());
    for (point, &code) in points.chunks_exact(dim).zip(&codes) {
        let centroid = &centroids[code as usize * dim..(code as usize + 1) * dim];
        let start = components.len();
        components.extend(point.iter().zip(centroid).map(|(x, c)| x - c));
        lengths += f64::from(kmeans::norm(&components[start..]));
    }
    let tables = match codec {
        Codec::Plaid => ResidualTables::quantiles(components, nbits),
        Codec::Weft => ResidualTables::lloyd_max(&components, nbits),
    };
    let (norm_base, norm_step) = norm_line(&points, &codes, &clustering.centroids, &tables, dim);
    let head = CodebookHead {
        dim,
        nbits,
        codec,
        centroids: clustering.len(),
        centroid_type: CentroidType::Float16,
        reach: 1.0,
        norm_base,
        norm_step,
        mean_residual: (lengths / codes.len() as f64) as f32,
        tokens,
        trained_on: count as u64,
        root: 0,
    };
    Ok(Trained {
        head,
        order: (0..clustering.len() as u32).collect(),
        centroids: clustering.centroids,
        group_ends: clustering.group_ends,
        tables,
    })
}

/// Splits held-out rows off a sample: seeded, order kept. A sample too small to share serves both purposes.
fn split(
    sample: Vec<u16>,
    dim: usize,
    count: u64,
    held: u64,
    random: &mut Random,
) -> (Vec<u16>, Vec<u16>) {
    let chosen = random.choose(count, held);
    let mut out = Vec::with_capacity(chosen.len() * dim);
    for &row in &chosen {
        out.extend_from_slice(&sample[row as usize * dim..(row as usize + 1) * dim]);
    }
    if count < 2 * held || count < 40 {
        return (sample, out);
    }
    let mut rest = sample;
    let (mut write, mut next) = (0, chosen.iter().peekable());
    for row in 0..count as usize {
        if next.peek().is_some_and(|&&c| c as usize == row) {
            next.next();
            continue;
        }
        rest.copy_within(row * dim..(row + 1) * dim, write * dim);
        write += 1;
    }
    rest.truncate(write * dim);
    (rest, out)
}

/// The line on which the byte of a reciprocal norm lies: the range of the held-out tokens and some more, because a codebook that grows
/// keeps its line for topics it has not seen.
fn norm_line(
    points: &[f32],
    codes: &[u32],
    centroids: &[f32],
    tables: &ResidualTables,
    dim: usize,
) -> (f32, f32) {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for (point, &code) in points.chunks_exact(dim).zip(codes) {
        let centroid = &centroids[code as usize * dim..(code as usize + 1) * dim];
        let inverse = reciprocal(decoded_norm(point, centroid, tables));
        low = low.min(inverse);
        high = high.max(inverse);
    }
    line(low, high)
}

/// Length of the longest centroid, as the head has it.
pub(crate) fn reach(centroids: &[f32], dim: usize) -> f32 {
    let longest = centroids.chunks_exact(dim).map(norm).fold(0.0, f32::max);
    if longest > 1.01 { longest } else { 1.0 }
}

/// One over the length of a decoded vector, as far as it goes into a byte.
pub(crate) fn reciprocal(norm: f32) -> f32 {
    1.0 / norm.clamp(1.0 / 16.0, 16.0)
}

/// Base and step of a line of reciprocal norms, for a range of them and a quarter more on both sides.
pub(crate) fn line(low: f32, high: f32) -> (f32, f32) {
    let margin = ((high - low) * 0.25).max(1e-3);
    let (low, high) = ((low - margin).max(1.0 / 16.0), high + margin);
    (low, (high - low) / 255.0)
}

impl Trained {
    /// Writes the codebook's file.
    pub(crate) fn write(&self, path: &Path, identity: &FileIdentity) -> Result<FileSeal> {
        let h = &self.head;
        let mut head = [0_u8; HEAD_BYTES];
        head[0..4].copy_from_slice(&(h.dim as u32).to_le_bytes());
        head[4..8].copy_from_slice(&h.nbits.to_le_bytes());
        head[8..12].copy_from_slice(&(h.codec as u32).to_le_bytes());
        head[12..16].copy_from_slice(&(h.centroids as u32).to_le_bytes());
        head[16..20].copy_from_slice(&h.norm_base.to_le_bytes());
        head[20..24].copy_from_slice(&h.norm_step.to_le_bytes());
        head[24..28].copy_from_slice(&h.mean_residual.to_le_bytes());
        head[28..32].copy_from_slice(&(h.centroid_type as u32).to_le_bytes());
        head[32..40].copy_from_slice(&h.tokens.to_le_bytes());
        head[40..48].copy_from_slice(&h.trained_on.to_le_bytes());
        let root = if h.root == 0 { identity.number } else { h.root };
        head[48..56].copy_from_slice(&root.to_le_bytes());
        if h.reach > 1.0 {
            head[56..60].copy_from_slice(&h.reach.to_le_bytes());
        }
        let centroids = &self.centroids;
        let mut bytes = vec![0_u8; centroids.len()];
        let mut scales = vec![0.0_f32; h.centroids];
        quantise_centroids(centroids, h.dim, &mut bytes, &mut scales);
        let mut out = ContainerWriter::create(path, identity)?;
        out.section(HEAD, &head)?;
        match h.centroid_type {
            CentroidType::Float16 => {
                let mut halves = vec![0_u16; centroids.len()];
                f32_to_f16(centroids, &mut halves);
                out.section(CENTROIDS, bytemuck::cast_slice(&halves))?;
            }
            CentroidType::Float32 => out.section(CENTROIDS, bytemuck::cast_slice(centroids))?,
        }
        out.section(CENTROID_BYTES, &bytes)?;
        out.section(CENTROID_SCALES, bytemuck::cast_slice(&scales))?;
        out.section(CUTOFFS, bytemuck::cast_slice(&self.tables.cutoffs))?;
        out.section(WEIGHTS, bytemuck::cast_slice(&self.tables.weights))?;
        out.section(GROUPS, bytemuck::cast_slice(&self.group_ends))?;
        out.section(ORDER, bytemuck::cast_slice(&self.order))?;
        out.finish()
    }
}

/// A codebook on disk.
pub(crate) struct Codebook {
    pub(crate) number: u64,
    pub(crate) head: CodebookHead,
    pub(crate) tables: ResidualTables,
    /// The tables in the form the kernels want.
    pub(crate) residual_table: ResidualTable,
    /// Reciprocal norm of every byte.
    pub(crate) inv_norms: [f32; 256],
    group_ends: Vec<u32>,
    file: Container,
}

impl Codebook {
    /// Opens and validates a codebook.
    pub(crate) fn open(path: &Path, identity: &FileIdentity, seal: &FileSeal) -> Result<Self> {
        let file = Container::open(path, identity, seal)?;
        let bad = |section: &str, detail: String| Error::corrupt(path, section, detail);
        let head: &[u8] = file.section(HEAD)?.numbers(HEAD_BYTES)?;
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let codec = match word(8) {
            1 => Codec::Plaid,
            2 => Codec::Weft,
            other => return Err(bad("the head", format!("codec {other} is unknown"))),
        };
        let centroid_type = match word(28) {
            0 => CentroidType::Float16,
            1 if identity.version >= 3 => CentroidType::Float32,
            other => {
                let detail = format!("type {other} of centroids is unknown");
                return Err(bad("the head", detail));
            }
        };
        let head = CodebookHead {
            dim: word(0) as usize,
            nbits: word(4),
            codec,
            centroids: word(12) as usize,
            centroid_type,
            reach: match word(56) {
                0 => 1.0,
                bits => f32::from_bits(bits),
            },
            norm_base: f32::from_bits(word(16)),
            norm_step: f32::from_bits(word(20)),
            mean_residual: f32::from_bits(word(24)),
            tokens: long(32),
            trained_on: long(40),
            root: long(48),
        };
        check_dim(head.dim)
            .and_then(|()| check_nbits(head.nbits))
            .map_err(|e| bad("the head", e.to_string()))?;
        if head.centroids == 0 || head.centroids > MAX_CENTROIDS {
            return Err(bad("the head", format!("{} centroids", head.centroids)));
        }
        if !(head.norm_base.is_finite()
            && head.norm_base > 0.0
            && head.norm_step.is_finite()
            && head.norm_step >= 0.0)
        {
            return Err(bad(
                "the head",
                "the norms do not lie on a line above zero".into(),
            ));
        }
        if !(head.reach.is_finite()
            && head.reach >= 1.0
            && (head.reach == 1.0 || identity.version >= 3))
        {
            let detail = format!("the longest centroid has length {}", head.reach);
            return Err(bad("the head", detail));
        }
        let buckets = 1_usize << head.nbits;
        let cutoffs: &[f32] = file.section(CUTOFFS)?.numbers(buckets - 1)?;
        let weights: &[f32] = file.section(WEIGHTS)?.numbers(buckets)?;
        let ascending = cutoffs.windows(2).all(|w| w[0] <= w[1]);
        if !ascending || cutoffs.iter().chain(weights).any(|v| !v.is_finite()) {
            return Err(bad(
                "the residual tables",
                "cut-offs must ascend and all values be finite".into(),
            ));
        }
        let groups = file.section(GROUPS)?;
        let group_ends: &[u32] = groups.numbers(groups.len() / 4)?;
        let rising = group_ends.windows(2).all(|w| w[0] < w[1])
            && group_ends.first().is_some_and(|&e| e > 0);
        if !rising || group_ends.last().map(|&e| e as usize) != Some(head.centroids) {
            return Err(bad(
                "the groups",
                "their ends do not ascend to the number of centroids".into(),
            ));
        }
        if head.root == 0 || head.root > identity.number {
            return Err(bad(
                "the head",
                format!("it says it began as {}", head.root),
            ));
        }
        for (section, bytes) in [
            (ORDER, 4 * head.centroids),
            (
                CENTROIDS,
                head.centroid_type.bytes() * head.centroids * head.dim,
            ),
            (CENTROID_BYTES, head.centroids * head.dim),
            (CENTROID_SCALES, 4 * head.centroids),
        ] {
            if file.section(section)?.len() != bytes {
                return Err(bad(
                    "the centroids",
                    format!("section {section} should have {bytes} bytes"),
                ));
            }
        }
        let mut inv_norms = [0.0; 256];
        for (byte, inverse) in inv_norms.iter_mut().enumerate() {
            *inverse = head.norm_base + head.norm_step * byte as f32;
        }
        let tables = ResidualTables {
            cutoffs: cutoffs.to_vec(),
            weights: weights.to_vec(),
        };
        let residual_table = ResidualTable::new(head.nbits, &tables.weights);
        let group_ends = group_ends.to_vec();
        Ok(Self {
            number: identity.number,
            head,
            tables,
            residual_table,
            inv_norms,
            group_ends,
            file,
        })
    }

    /// Writes the codebook to a file of another index, where it must have the same number.
    pub(crate) fn copy(&self, path: &Path, identity: &FileIdentity) -> Result<FileSeal> {
        self.file.copy(path, identity)
    }

    /// What it consists of, for other libraries.
    pub(crate) fn parts(&self) -> Result<CodebookParts> {
        Ok(CodebookParts {
            dim: self.head.dim,
            nbits: self.head.nbits,
            codec: self.head.codec,
            centroids: self.centroids()?,
            centroid_type: self.head.centroid_type,
            tables: self.tables.clone(),
        })
    }

    /// Size of the file.
    pub(crate) fn bytes(&self) -> usize {
        self.file.len()
    }

    /// Checks every byte of the file.
    pub(crate) fn verify(&self) -> Result<()> {
        self.file.verify()?;
        self.order()?;
        self.centroids()?;
        if self.centroid_scales()?.iter().any(|s| !s.is_finite()) {
            return Err(Error::corrupt(
                self.file.path(),
                "the centroid scales",
                "a scale is not finite",
            ));
        }
        Ok(())
    }

    /// `[K][dim]`, offset 128.
    pub(crate) fn centroid_bytes(&self) -> Result<&[u8]> {
        self.file.section(CENTROID_BYTES)?.all()
    }

    /// `[K]`.
    pub(crate) fn centroid_scales(&self) -> Result<&[f32]> {
        self.file
            .section(CENTROID_SCALES)?
            .numbers(self.head.centroids)
    }

    /// Reads one centroid.
    pub(crate) fn centroid(&self, code: u32, out: &mut [f32]) -> Result<()> {
        let start = code as usize * self.head.dim;
        let (section, end) = (self.file.section(CENTROIDS)?, start + self.head.dim);
        match self.head.centroid_type {
            CentroidType::Float16 => f16_to_f32(section.some(start, end)?, out),
            CentroidType::Float32 => out.copy_from_slice(section.some(start, end)?),
        }
        Ok(())
    }

    /// The centroids as f32, `[K][dim]`: for building.
    pub(crate) fn centroids(&self) -> Result<Vec<f32>> {
        let count = self.head.centroids * self.head.dim;
        let section = self.file.section(CENTROIDS)?;
        let mut out = vec![0.0; count];
        match self.head.centroid_type {
            CentroidType::Float16 => f16_to_f32(section.numbers(count)?, &mut out),
            CentroidType::Float32 => out.copy_from_slice(section.numbers(count)?),
        }
        // The nearest of them could not be told.
        match out.iter().all(|c| c.is_finite()) {
            true => Ok(out),
            false => Err(Error::corrupt(
                self.file.path(),
                "the centroids",
                "a component is not finite",
            )),
        }
    }

    /// The codes of all centroids, group by group.
    fn order(&self) -> Result<&[u32]> {
        let order: &[u32] = self.file.section(ORDER)?.numbers(self.head.centroids)?;
        let mut seen = Bitmap::default();
        match order
            .iter()
            .all(|&c| (c as usize) < self.head.centroids && seen.insert(c))
        {
            true => Ok(order),
            false => Err(Error::corrupt(
                self.file.path(),
                "the order",
                "it does not name every centroid once",
            )),
        }
    }

    /// The arrangement in which tokens are assigned. The `plaid` codec promises the true nearest centroid, as the reference
    /// finds it; ours accepts the nearest in the best groups.
    pub(crate) fn assigner(&self, centroids: &[f32]) -> Result<Assigner> {
        let (dim, k) = (self.head.dim, self.head.centroids as u32);
        if self.head.codec == Codec::Plaid {
            let flat = Clustering {
                dim,
                centroids: centroids.to_vec(),
                group_ends: vec![k],
            };
            return Ok(Assigner::new(&flat, 1));
        }
        let order = self.order()?;
        let mut grouped = Vec::with_capacity(centroids.len());
        for &code in order {
            let at = code as usize * dim;
            grouped.extend_from_slice(&centroids[at..at + dim]);
        }
        let clustering = Clustering {
            dim,
            centroids: grouped,
            group_ends: self.group_ends.clone(),
        };
        Ok(Assigner::new(&clustering, CODING_PROBES).with_order(order.to_vec()))
    }
}
