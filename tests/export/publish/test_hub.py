import pytest

from deepred.base.errors import FaultError, UserError
from deepred.export.publish.hub import check_repository, hub_client, plan_uploads, push


@pytest.fixture
def folder(tmp_path):
    for kind in ("F16", "Q8_0"):
        (tmp_path / f"DeepRed-0.7M-1969-07-20-{kind}.gguf").write_bytes(b"GGUF" + kind.encode())
        (tmp_path / f"Modelfile-{kind}").write_text(kind)
    for name in ("Modelfile", "gates.json", "chat.json", "manifest.json", "release.json", "README.md"):
        (tmp_path / name).write_text(name)
    return tmp_path


class Hub:
    """What a push asks of a hub."""

    def __init__(self, refusal=""):
        self.refusal = refusal
        self.repositories = {}
        self.committed = {}

    def create_repo(self, name, private, exist_ok):
        assert exist_ok
        self.repositories[name] = private

    def create_commit(self, name, operations, commit_message, repo_type):
        if self.refusal:
            raise RuntimeError(self.refusal)
        for operation in operations:
            with operation.as_file() as file:
                self.committed[operation.path_in_repo] = file.read()
        return f"https://hub.example/{name}/commit/1"


def test_files_card_and_modelfiles_go_and_nothing_else(folder):
    names = [upload.name for upload in plan_uploads(folder, "# Card")]
    assert names == [
        "README.md",
        "DeepRed-0.7M-1969-07-20-F16.gguf",
        "DeepRed-0.7M-1969-07-20-Q8_0.gguf",
        "Modelfile",
        "Modelfile-F16",
        "Modelfile-Q8_0",
        "gates.json",
    ]
    few = plan_uploads(folder, "# Card", ["Q8_0"])
    assert not any("F16" in upload.name for upload in few) and sum(upload.size for upload in few) > 0
    with pytest.raises(UserError, match="no Q3_K file"):
        plan_uploads(folder, "# Card", ["Q3_K"])


def test_a_push_is_one_commit_into_a_private_repository(folder):
    hub = Hub()
    address = push(hub, "me/DeepRed", plan_uploads(folder, "# Card"))
    assert address.endswith("/me/DeepRed/commit/1")
    assert hub.repositories == {"me/DeepRed": True}
    assert hub.committed["README.md"] == b"# Card"
    assert hub.committed["DeepRed-0.7M-1969-07-20-Q8_0.gguf"] == b"GGUFQ8_0"
    push(hub, "me/open", [], public=True)
    assert hub.repositories["me/open"] is False


def test_a_refusal_of_the_hub_is_one_line(folder):
    with pytest.raises(FaultError, match="refused me/DeepRed: 403 Forbidden"):
        push(Hub("403 Forbidden\nmore"), "me/DeepRed", plan_uploads(folder, ""))


@pytest.mark.parametrize("name", ["DeepRed", "a/b/c", "me/", "me/x y"])
def test_a_wrong_name_is_refused(name):
    with pytest.raises(UserError, match="owner/name"):
        check_repository(name)


def test_without_a_token_nothing_is_tried(monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(UserError, match="needs a token"):
        hub_client()
