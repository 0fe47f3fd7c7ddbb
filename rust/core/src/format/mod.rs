//! The container of every index file: header, sections, footer, trailer (SPEC.md section 2).
//!
//! [`write::ContainerWriter`] streams sections to a new file; [`read::Container`] maps one and gives
//! out bytes only after their block checksum was right.

pub(crate) mod read;
pub(crate) mod write;

/// The version of the format in which this build makes new indexes.
pub const FORMAT_VERSION: u32 = 3;
/// The oldest version that is read. An index stays in the version that it was made in: what is added to it is written so that the builds
/// that know this version go on reading it.
pub(crate) const OLDEST_VERSION: u32 = 2;

/// Whether files and catalogues of a version are read and written.
pub(crate) fn is_known(version: u32) -> bool {
    (OLDEST_VERSION..=FORMAT_VERSION).contains(&version)
}

/// First bytes of every file. The line ends reveal a transfer in text mode.
const MAGIC: [u8; 8] = *b"WEFT\r\n\x1a\n";
/// Last bytes of every file.
const END_MAGIC: [u8; 8] = *b"WEFTEND\n";
const HEADER: usize = 64;
const TRAILER: usize = 64;
const ENTRY: usize = 32;
/// Sections start at multiples of this.
const ALIGN: u64 = 64;
/// Bytes under one checksum. Small enough that checking the blocks of a few hundred passages costs about a
/// millisecond once, large enough that the checksums of 36 GB take 2.3 MB.
pub(crate) const BLOCK: usize = 65_536;
/// Files up to this size are checked whole when opened (a millisecond or two).
const SMALL: usize = 16 << 20;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Codebook = 1,
    Segment = 2,
}

/// Names a file and binds it to its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    /// That of the index: all files of one have the same.
    pub(crate) version: u32,
    pub(crate) kind: FileKind,
    pub(crate) number: u64,
    pub(crate) index: [u8; 16],
}

/// What the catalogue remembers of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileSeal {
    pub(crate) bytes: u64,
    /// CRC-32 of the trailer, which covers everything else.
    pub(crate) checksum: u32,
}

fn header_bytes(identity: &FileIdentity) -> [u8; HEADER] {
    let mut out = [0_u8; HEADER];
    out[0..8].copy_from_slice(&MAGIC);
    out[8..12].copy_from_slice(&identity.version.to_le_bytes());
    out[12..16].copy_from_slice(&(identity.kind as u32).to_le_bytes());
    out[16..24].copy_from_slice(&identity.number.to_le_bytes());
    out[24..40].copy_from_slice(&identity.index);
    let crc = crc32fast::hash(&out[..60]);
    out[60..64].copy_from_slice(&crc.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::read::Container;
    use super::write::ContainerWriter;
    use super::*;
    use proptest::prelude::*;

    const IDENTITY: FileIdentity = FileIdentity {
        version: FORMAT_VERSION,
        kind: FileKind::Segment,
        number: 7,
        index: [9; 16],
    };

    fn write(path: &std::path::Path, sections: &[(u32, Vec<u8>)]) -> FileSeal {
        let mut writer = ContainerWriter::create(path, &IDENTITY).unwrap();
        for (name, bytes) in sections {
            writer.begin(*name).unwrap();
            for part in bytes.chunks(1000) {
                writer.write(part).unwrap();
            }
            writer.end().unwrap();
        }
        writer.finish().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn sections_come_back_and_every_flipped_byte_is_found(
            lengths in prop::collection::vec(0_usize..70_000, 1..4),
            position in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("segment-7.weft");
            let sections: Vec<(u32, Vec<u8>)> = lengths.iter().enumerate()
                .map(|(i, &n)| (i as u32 + 1, (0..n).map(|j| (j * 31 + i) as u8).collect()))
                .collect();
            let seal = write(&path, &sections);
            let file = Container::open(&path, &IDENTITY, &seal).unwrap();
            for (name, bytes) in &sections {
                let section = file.section(*name).unwrap();
                prop_assert_eq!(section.len(), bytes.len());
                prop_assert_eq!(section.all().unwrap(), &bytes[..]);
            }
            drop(file);
            let mut damaged = std::fs::read(&path).unwrap();
            let at = position.index(damaged.len());
            damaged[at] ^= 1 << bit;
            std::fs::write(&path, &damaged).unwrap();
            prop_assert!(Container::open(&path, &IDENTITY, &seal).is_err(), "byte {} unnoticed", at);
            // A shorter file is refused as well, wherever it is cut.
            damaged[at] ^= 1 << bit;
            damaged.truncate(at);
            std::fs::write(&path, &damaged).unwrap();
            prop_assert!(Container::open(&path, &IDENTITY, &seal).is_err(), "cut at {} unnoticed", at);
        }
    }

    #[test]
    fn a_large_file_is_checked_where_it_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment-7.weft");
        let big = vec![5_u8; SMALL + BLOCK];
        let seal = write(&path, &[(1, vec![1, 2, 3]), (2, big)]);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = 128 + 3 * BLOCK + 17;
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let file = Container::open(&path, &IDENTITY, &seal).unwrap();
        let section = file.section(2).unwrap();
        assert!(section.get(0, 100).is_ok());
        let error = section
            .get(3 * BLOCK, 3 * BLOCK + 1)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("segment-7.weft") && error.contains("section 2"),
            "{error}"
        );
        assert!(section.get(BLOCK, 5 * BLOCK).is_err());
        assert!(file.verify().is_err());
    }

    #[test]
    fn another_index_version_or_number_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment-7.weft");
        let seal = write(&path, &[(1, vec![0; 10])]);
        for other in [
            FileIdentity {
                number: 8,
                ..IDENTITY
            },
            FileIdentity {
                index: [8; 16],
                ..IDENTITY
            },
            FileIdentity {
                kind: FileKind::Codebook,
                ..IDENTITY
            },
            FileIdentity {
                version: OLDEST_VERSION,
                ..IDENTITY
            },
        ] {
            assert!(matches!(
                Container::open(&path, &other, &seal),
                Err(crate::Error::Corrupt { .. })
            ));
        }
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[8] = 9;
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(
            Container::open(&path, &IDENTITY, &seal),
            Err(crate::Error::Incompatible {
                found: 9,
                supported: FORMAT_VERSION,
                ..
            })
        ));
    }
}
