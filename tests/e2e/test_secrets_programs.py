"""Secrets in programs and libraries: what CUDA's compiler put into them for the GPU is passed over, the
same in whatever way the file is read, and nothing else is."""

import io
import json
import random
import shutil
import struct
import subprocess
import zipfile

import pytest

import imagekit
import scanner
import secretkit as sk
from tarkit import file, sparse_gnu

ALIGNMENT = 8


def token(number):
    return sk.github(seed=f"program {number}")


def planted(number):
    return b"\0" + token(number).encode() + b"\0"


def noise(count, seed):
    return random.Random(seed).randbytes(count)


def fat_binary(size, within=b"", version=1, header_size=16, program_version=0x101, program_header=64, claimed=None):
    """What the compiler makes for GPUs: a header, then programs behind headers of their own."""
    programs = struct.pack("<HHIQ", 2, program_version, program_header, size - 64) + bytes(48)
    programs += noise(size - len(programs) - len(within), size) + within
    return struct.pack("<IHHQ", 0xBA55ED50, version, header_size, size if claimed is None else claimed) + programs


def program(*parts):
    """An ELF file: each part begins where eight divides the offset, as sections do."""
    data = b"\x7fELF\2\1\1" + bytes(249)
    for part in parts:
        data += part + bytes(-len(part) % ALIGNMENT)
    return data


def segment(offset, size, flags=5, kind=1):
    """A program header (ELF-64, "Program Header"); 5 is readable and executable."""
    return struct.pack("<IIQQQQQQ", kind, flags, offset, 0x400000 + offset, 0x400000 + offset, size, size, 4096)


def with_segments(data, *segments, bits=2, order=1, entry_size=56, at=64):
    """An ELF file's bytes with these program headers in their beginning, behind that of its constants."""
    segments = [segment(0, 512, 4), *segments]
    return with_just(data, *segments, bits=bits, order=order, entry_size=entry_size, at=at)


def with_just(data, *segments, bits=2, order=1, entry_size=56, at=64):
    head = bytes([0x7F]) + b"ELF" + bytes([bits, order, 1]) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, at, 0, 0, 64, entry_size, len(segments), 64, 0, 0)
    head = head.ljust(at, b"\0") + b"".join(segments)
    return head + data[len(head):]


def passed():
    """Tokens before, between and behind; odd numbers within what is passed over."""
    return program(
        planted(0), noise(300_001, 0), fat_binary(200_000, planted(1)), planted(2),
        fat_binary(16 * 1024, planted(3)), planted(4), noise(70_000, 1),
        *(fat_binary(size, planted(5)) for size in (65_536, 1 << 20, 32_768)), planted(6))


def numbers(result):
    """Which of the planted tokens were found, by what of each is shown."""
    assert result.report is not None and not result.errors, result
    shown = {token(number)[-4:]: number for number in range(10)}
    return sorted(shown[secret["match"][-4:]] for secret in result.report["secrets"])


def scan(path, *args, **more):
    return scanner.scan(path, "--scanners", "secret", *args, **more)


def image(tmp_path, *entries, compression="none"):
    return imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(imagekit.image_of(list(entries), compression=compression)))


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_gpu_programs_are_passed_over(tmp_path, compression):
    result = scan(image(tmp_path, file("usr/lib/libgpu.so", passed()), compression=compression))
    assert numbers(result) == [0, 2, 4, 6]


def test_in_a_folder_and_a_file(tmp_path):
    (tmp_path / "root").mkdir()
    library = tmp_path / "root/libgpu.so"
    library.write_bytes(passed())
    for path in (tmp_path / "root", library):
        assert numbers(scanner.scan(path, command="secret")) == [0, 2, 4, 6]
    assert numbers(scan(tmp_path / "root", command="rootfs")) == [0, 2, 4, 6]


def test_in_a_pipe_all_is_looked_through(tmp_path):
    """Its size is not known, so no header's word is taken for it."""
    data = program(planted(0), fat_binary(100_000, planted(1)), planted(2))
    result = subprocess.run([scanner.binary(), "secret", "-", "-f", "json"], input=data, capture_output=True,
                            env=scanner.environment())
    assert {secret["match"][-4:] for secret in json.loads(result.stdout)["secrets"]} == {token(n)[-4:] for n in range(3)}


def test_in_a_sparse_file(tmp_path):
    data = passed()
    size = len(data) + (1 << 20)
    entry = sparse_gnu("libgpu.so", [(0, data[:4096]), (4096, data[4096:])], size)
    assert numbers(scan(image(tmp_path, entry))) == [0, 2, 4, 6]


def test_what_is_passed_over_is_not_read(tmp_path):
    """Where layers lie uncompressed, one can skip in them."""
    small = scan(image(tmp_path, file("libgpu.so", program(planted(0), noise(1000, 0)))), "--stats")
    large = scan(image(tmp_path, file("libgpu.so", program(planted(0), *[fat_binary(1 << 20)] * 8, noise(1000, 0)))), "--stats")
    more = large.report["stats"]["bytes_read"] - small.report["stats"]["bytes_read"]
    assert more < 1 << 20, (small.report["stats"], large.report["stats"])


LIES = {
    "longer than the file": fat_binary(100_000, planted(1), claimed=1 << 40),
    "longer than anything": fat_binary(100_000, planted(1), claimed=(1 << 64) - 1),
    "a byte longer than the file": fat_binary(100_000, planted(1), claimed=100_001),
    "another version": fat_binary(100_000, planted(1), version=2),
    "another header": fat_binary(100_000, planted(1), header_size=24),
    "programs of another version": fat_binary(100_000, planted(1), program_version=0x102),
    "programs without a header": fat_binary(100_000, planted(1), program_header=8),
    "programs longer than all": fat_binary(100_000, planted(1), program_header=200_000),
    "too short to be worth it": fat_binary(8_000, planted(1)),
    "not where eight divides": b"\1\2\3" + fat_binary(100_000, planted(1)),
    "only its first bytes": struct.pack("<IH", 0xBA55ED50, 1) + planted(1),
}


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("name", LIES)
def test_what_is_no_gpu_program_is_looked_through(tmp_path, name, compression):
    data = program(planted(0), noise(200_000, 2), LIES[name])
    assert numbers(scan(image(tmp_path, file("lib.so", data), compression=compression))) == [0, 1]


CODE = 1 << 20


def coded(code_offset=4096, code_size=CODE):
    """A token before, in and behind what the program headers may call code."""
    data = bytes(4000) + planted(0) + bytes(4096 - 4042) + noise(500_000, 4) + planted(1)
    data += bytes(code_offset + code_size - len(data)) + planted(2)
    return data + noise(10_000, 5)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_code_is_passed_over(tmp_path, compression):
    """Large segments of nothing but code hold no texts."""
    data = with_segments(coded(), segment(0, 4096, 4), segment(4096, CODE), segment(4096 + CODE, 100, 6))
    assert numbers(scan(image(tmp_path, file("lib.so", data), compression=compression))) == [0, 2]


def test_code_and_gpu_programs(tmp_path):
    data = coded() + bytes(-len(coded()) % 8) + fat_binary(100_000, planted(3)) + planted(4)
    two = [segment(4096, CODE), segment(len(data), CODE)]
    data = with_segments(data + noise(CODE, 6)[:-50] + planted(5) + bytes(8) + planted(6), *two)
    assert numbers(scan(image(tmp_path, file("lib.so", data)))) == [0, 2, 4, 6]


NO_CODE = {
    "the file's beginning, with its constants": [segment(0, CODE + 4096)],
    "writable": [segment(4096, CODE, 7)],
    "not executable": [segment(4096, CODE, 4)],
    "not loaded": [segment(4096, CODE, 5, kind=4)],
    "small": [segment(4096, CODE - 1)],
    "longer than the file": [segment(4096, 2 * CODE)],
    "longer than anything": [segment(4096, (1 << 64) - 1)],
    "behind the file": [segment(1 << 62, CODE)],
}


@pytest.mark.parametrize("name", NO_CODE)
def test_what_is_no_code_is_looked_through(tmp_path, name):
    assert numbers(scan(image(tmp_path, file("lib.so", with_segments(coded(), *NO_CODE[name]))))) == [0, 1, 2]


@pytest.mark.parametrize("more", [{"bits": 1}, {"order": 2}, {"entry_size": 55}, {"at": 8000}])
def test_headers_that_are_not_read(tmp_path, more):
    """Of 32 bits, big-endian, of another size, far from the beginning: then all is looked through."""
    data = with_segments(coded(), segment(4096, CODE), **more)
    assert {1, 2} <= set(numbers(scan(image(tmp_path, file("lib.so", data)))))


def test_constants_that_were_moved_with_the_code(tmp_path):
    """patchelf puts an old segment of constants and code behind new headers: then no segment is without texts."""
    data = with_just(coded(), segment(0, 4096, 6), segment(4096, CODE), segment(4096 + CODE, 100, 6))
    assert numbers(scan(image(tmp_path, file("lib.so", data)))) == [0, 1, 2]


@pytest.mark.parametrize("how", [["-Wl,-z,noseparate-code"], ["-Wl,-z,separate-code"], ["-fuse-ld=gold"],
                                 ["-Wl,-z,noseparate-code", "-mcmodel=medium"], ["-fuse-ld=gold", "-mcmodel=medium"]])
def test_patched_program(tmp_path, how):
    """A real one, when there is a compiler and patchelf: its constant is found before and after."""
    if not shutil.which("patchelf"):
        pytest.skip("patchelf is not there")
    source = tmp_path / "a.c"
    source.write_text('#include <stdio.h>\nconst char large[70000] = {1};\nconst char *t = "%s";\n__asm__(".text\\n.zero 2000000\\n");\nint main(void) { return puts(t) + large[1]; }\n' % token(0))
    out = tmp_path / "root" / "a.out"
    out.parent.mkdir()
    subprocess.run(["cc", "-no-pie", *how, source, "-o", out], check=True)
    assert numbers(scanner.scan(out.parent, command="secret")) == [0]
    subprocess.run(["patchelf", "--set-rpath", "/opt/" + "x" * 5000, out], check=True)
    assert numbers(scanner.scan(out.parent, command="secret")) == [0]


def test_a_text_that_begins_like_a_program(tmp_path):
    """Is text: all rules are asked."""
    text = b"\x7fELF\n" + sk.token("huggingface-token", 3).encode() + b"\npassword = \"k7Wq9x2LmP4zT8\"\n"
    alone = scan(image(tmp_path, file("a.env", text[5:])))
    assert len(alone.report["secrets"]) == 2
    assert len(scan(image(tmp_path, file("a.env", text))).report["secrets"]) == 2


def test_overlapping_segments(tmp_path):
    data = with_segments(coded(), *[segment(4096 + 512 * n, CODE - 512 * n + (n == 3)) for n in range(4)],
                         *[segment(4096, CODE)] * 20)
    assert numbers(scan(image(tmp_path, file("lib.so", data)))) == [0, 2]


def test_not_a_program(tmp_path):
    """In other files the same bytes mean nothing."""
    data = bytes(8) + fat_binary(100_000, planted(1))
    assert numbers(scan(image(tmp_path, file("data.bin", data)))) == [1]


def test_in_an_archive_all_is_looked_through(tmp_path):
    """A member's size is not known for sure there, so nothing is passed over on a header's word."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("x/libgpu.so", program(planted(0), fat_binary(100_000, planted(1)), planted(2)))
    assert numbers(scan(image(tmp_path, file("x.whl", packed.getvalue())))) == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 5, 30, 70, 99_999, 100_010])
def test_a_file_that_ends_within(tmp_path, cut):
    """A download that broke: what is there is looked through."""
    data = program(planted(0), fat_binary(100_000, planted(1) + bytes(200)))
    whole = len(data) - cut
    result = scan(image(tmp_path, file("libgpu.so", data[:whole])))
    assert numbers(result) == ([0, 1] if cut < 200 else [0])


@pytest.mark.parametrize("before", [*range(131_000, 131_144, 8)])
def test_wherever_pieces_end(tmp_path, before):
    """A header over the seam of two pieces is known as one."""
    data = program(planted(0), noise(before - 256 - 48, 3), fat_binary(50_000, planted(1)), planted(2))
    assert numbers(scan(image(tmp_path, file("libgpu.so", data), compression="gzip"))) == [0, 2]
