import bz2
import gzip
import io
import tarfile
import time

import pytest

from deepred.base.formats import describe_bytes, describe_file, describe_unpacked, is_packed


def tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO(b""))
    return target.getvalue()


SEEN = {
    "a zip archive": b"PK\x03\x04\x14",
    "a tar archive": tar(),
    "a GGUF file": b"GGUF\x03",
    "UTF-16 text": "x".encode("utf-16"),
    "an SQL dump": b"-- MySQL dump 10.19  Distrib 10.11\n--\n-- Host: x\n",
    "an HTML page": b"\n<!doctype HTML>\n<html>",
    "a dump of abstracts": b"<feed>\n<doc>\n<title>Wikipedia: A</title>",
    "RDF in XML": b'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF xml:base="http://www.gutenberg.org/"',
    "a MediaWiki XML dump": b'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">',
    "Turtle": b"# a comment\n@prefix yago: <http://yago-knowledge.org/resource/> .",
    "RDF-star": b"<< <http://a> <http://b> <http://c> >> <http://d> <http://e> .",
    "N-Triples": b"<http://a/b> <http://c/d> <http://e/f> .\n",
    "a KGTK table": b"id\tnode1\tlabel\tnode2\n",
    "YAGO 2 or 3 (TSV)": b'<id_1k>\t<Ada>\t<wasBornOnDate>\t"1815"^^xsd:date\t1815',
    "the index of a multistream dump": b"600:10:Apollo 11\n",
    "chess games (PGN)": b'[Event "x"]\n',
    "JSON": b'[\n{"id": "Q1"}',
    "an empty file": b"",
    "a file that begins with 'Once upon'": b"Once upon",
}


@pytest.mark.parametrize("name", SEEN)
def test_formats_are_told_by_their_first_bytes(tmp_path, name):
    assert describe_bytes(SEEN[name]) == name
    path = tmp_path / "file"
    for pack in (bytes, gzip.compress, bz2.compress):
        path.write_bytes(pack(SEEN[name]))
        assert describe_unpacked(path) == name


def test_what_is_packed_is_told_from_text(tmp_path):
    assert is_packed(b"PK\x03\x04") and is_packed(tar()) and is_packed(bytes(9))
    assert not is_packed(b"Once upon a time") and not is_packed("É".encode())
    assert "cannot be read" in describe_unpacked(tmp_path / "none")
    assert "no readable file" in describe_file(tmp_path / "none")


@pytest.mark.parametrize("unit", ["-- x\n", "<", "<!--", "# x\n", "<a>\t", "1:", "@", " ", "a\t", "x" * 50])
def test_odd_beginnings_take_linear_time(unit):
    begun = time.process_time()
    describe_bytes((unit * 20_000).encode())
    assert time.process_time() - begun < 1
