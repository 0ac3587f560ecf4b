"""RDKit, Biopython, pysam, OpenMM: molecules, sequences, alignments on disk, forces; Python functions called back, errors."""

import io
import os
import sys
import tempfile

import numpy as np
import openmm
import pysam
from Bio import Align, Phylo, SeqIO
from Bio.Align import substitution_matrices
from Bio.PDB import kdtrees
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from openmm import unit
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import AllChem, Descriptors, rdFMCS

os.chdir(tempfile.mkdtemp())
RDLogger.DisableLog("rdApp.*")


def attempt(what):
    try:
        print(what())
    except Exception as e:
        print(type(e).__name__, (str(e).splitlines() or [""])[0][:80])


m, n = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O"), Chem.MolFromSmiles("O=C(O)c1ccccc1O")
print(Chem.MolToSmiles(m), m.GetNumAtoms(), [a.GetSymbol() for a in m.GetAtoms()], [b.GetBondType().name for b in m.GetBonds()])
print(round(Descriptors.MolWt(m), 3), round(Descriptors.MolLogP(m), 4))
g = AllChem.GetMorganGenerator(radius=2, fpSize=1024)
print(round(DataStructs.TanimotoSimilarity(g.GetFingerprint(m), g.GetFingerprint(n)), 4), list(g.GetFingerprint(n).GetOnBits())[:5])
print(m.GetSubstructMatches(Chem.MolFromSmarts("C(=O)O")), rdFMCS.FindMCS([m, n]).smartsString)
h = Chem.AddHs(m)
print(AllChem.EmbedMolecule(h, randomSeed=7), AllChem.MMFFOptimizeMolecule(h), h.GetConformer().GetPositions().shape)
attempt(lambda: m.GetAtomWithIdx(99))
attempt(lambda: m.GetProp("zz"))
attempt(lambda: Chem.SanitizeMol(Chem.MolFromSmiles("c1cccc1", sanitize=False)))

s = Seq("ATGGCCATTGTAATGGGCCGCTGAAAGGGTGCCCGATAG")
print(s.translate(), s.reverse_complement())
a = Align.PairwiseAligner(mode="global", open_gap_score=-2, extend_gap_score=-0.5)
for al in list(a.align("GATTACAGATTACA", "GCATGCAGATACA"))[:2]:
    print(al, al.score, al.coordinates.tolist())
a.substitution_matrix = substitution_matrices.load("BLOSUM62")
print(a.score("KEVLAR", "KELVAR"))
Phylo.draw_ascii(Phylo.read(io.StringIO("((A:1,B:2):3,(C:4,D:5):6);"), "newick"), file=sys.stdout)
out = io.StringIO()
SeqIO.write([SeqRecord(s[i : i + 12], id=f"r{i}", description="") for i in range(0, 30, 6)], out, "fasta")
print([(r.id, str(r.seq)) for r in SeqIO.parse(io.StringIO(out.getvalue()), "fasta")])
near = kdtrees.KDTree(np.random.default_rng(0).random((50, 3)), 10).neighbor_search(0.2)
print(sorted((p.index1, p.index2) for p in near)[:5])
attempt(lambda: a.align("AAA", 5))

with pysam.AlignmentFile("a.bam", "wb", header={"HD": {"VN": "1.0"}, "SQ": [{"LN": 1575, "SN": "chr1"}, {"LN": 1584, "SN": "chr2"}]}) as bam:
    for i in range(100):
        r = pysam.AlignedSegment(bam.header)
        r.query_name, r.query_sequence, r.flag = f"r{i}", "AGCTTAGCTAGCTACCTATATCTTGGTCTTGGCCG", 99 if i % 2 else 0
        r.reference_id, r.reference_start, r.mapping_quality = i % 2, i * 3, 20
        r.cigar, r.query_qualities = ((0, 10), (2, 1), (0, 25)), pysam.qualitystring_to_array("<" * 35)
        r.tags = (("NM", 1), ("RG", "L1"), ("XF", 1.5), ("XB", [1, 2, 3]))
        bam.write(r)
pysam.sort("-o", "s.bam", "a.bam")
pysam.index("s.bam")
f = pysam.AlignmentFile("s.bam", "rb")
print([r.query_name for r in f.fetch("chr1", 10, 60)][:8], f.count("chr2"), f.mapped)
for c in f.pileup("chr1", 100, 104, truncate=True):
    print(c.pos, c.n, [p.query_position for p in c.pileups][:5])
r = next(f.fetch("chr1"))
print(r.cigarstring, r.get_blocks(), r.get_tag("XF"), r.get_tag("XB"), r.to_string(), r.get_aligned_pairs()[:12])
attempt(lambda: pysam.AlignmentFile("nope.bam"))
attempt(lambda: f.fetch("chrX"))
attempt(lambda: r.get_tag("ZZ"))

system, force, bowl = openmm.System(), openmm.NonbondedForce(), openmm.CustomExternalForce("k*(x^2+y^2+z^2)")
bowl.addGlobalParameter("k", 10.0)
for i in range(8):
    system.addParticle(39.9 * unit.amu)
    force.addParticle(0, 0.34, 0.98)
    bowl.addParticle(i, [])
system.addForce(force)
system.addForce(bowl)
x = openmm.Context(system, openmm.VerletIntegrator(0.001 * unit.picoseconds), openmm.Platform.getPlatformByName("Reference"))
x.setPositions([openmm.Vec3(i % 2, i // 2 % 2, i // 4) * 0.4 for i in range(8)])
steps = []


class Reporter(openmm.MinimizationReporter):
    def report(self, iteration, position, gradient, arguments):
        steps.append(iteration)
        return False


openmm.LocalEnergyMinimizer.minimize(x, reporter=Reporter())
state = x.getState(getEnergy=True, getPositions=True)
print(round(state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole), 2), state.getPositions()[0].unit, len(steps) > 0)
attempt(lambda: x.setPositions([openmm.Vec3(0, 0, 0)]))
