"""A control program around an application's own, which remembers what it was asked."""


class Controlled:
    """Puts a script in front of xcctl. `.service()` is for `service:` of a target,
    `.calls` what was asked so far without `status`; `.before(verb, shell)` runs shell text
    in front of a verb, `.after()` behind it (its exit code counts)."""

    def __init__(self, app, name="ctl"):
        self.script = app.dir / f"{name}.sh"
        self.log = app.dir / f"{name}.calls"
        self._app = app
        self._before, self._after = {}, {}
        self._write()

    def _cases(self, texts):
        return "".join(f"{verb}) {text} ;;\n" for verb, text in texts.items())

    def _write(self):
        self.log.touch()
        self.script.write_text(
            f"#!/bin/sh\n[ $1 = status ] || echo $1 >>{self.log}\n"
            f"case $1 in\n{self._cases(self._before)}esac\n"
            f"{self._app.xcctl} {self._app.dir} $1; code=$?\n"
            f"case $1 in\n{self._cases(self._after)}esac\nexit $code\n")
        self.script.chmod(0o755)

    def before(self, verb, shell):
        self._before[verb] = shell
        self._write()

    def after(self, verb, shell):
        self._after[verb] = shell
        self._write()

    @property
    def calls(self):
        return self.log.read_text().split()

    def service(self, timeout="20s"):
        return {"command": [str(self.script), "restart"],
                "status": [str(self.script), "status"], "timeout": timeout}
