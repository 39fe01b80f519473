"""Sets up an archive, or changes one."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.archives.archive import OWN_AE_TITLE, Archive
from napari_d24fad.errors import ArchiveError, ArgumentError
from napari_d24fad.viewer.styles import ERROR, edged

_LONGEST_PORT = 5


class SetupDialog(QDialog):
    """Asks where an archive is: by its DICOMweb address, or by AE title, host and port."""

    kept = Signal(object, str)
    """The `Archive`, and the password that was typed; empty to leave it as it is."""

    def __init__(self, archive: Archive | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Archive")
        self.name = _field("A short name, letters and digits: hospital-1")
        self.url = _field("https://pacs.example/dicom-web; or leave it empty and fill in the three below")
        self.title = _field("AE title of the archive")
        self.host = _field("Host of the archive")
        self.port = _field("Port of the archive, often 104 or 11112")
        self.own_title = _field("AE title of this program, as it is entered in the archive")
        self.listen = _field("Port for images by C-MOVE; empty to use C-GET")
        self.user = _field("User name, if the archive asks for one")
        self.password = _field("Kept in the system's keyring, in no file; empty leaves it as it is")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.authority = _field("File (PEM) of the authority that vouches for the archive; usually empty")
        self.tls = QCheckBox("Encrypt DIMSE (TLS)")
        self.unencrypted = QCheckBox("Allow a connection that is not encrypted")
        self.unencrypted.setToolTip("Whoever listens on the way can read patients' data")
        browse = QPushButton("Choose certificate…")
        browse.clicked.connect(self._choose_authority)
        form = QFormLayout()
        for text, field in (
            ("Name", self.name), ("DICOMweb address", self.url), ("AE title", self.title),
            ("Host", self.host), ("Port", self.port), ("Own AE title", self.own_title),
            ("Own port", self.listen), ("", self.tls), ("User", self.user), ("Password", self.password),
            ("Authority", self.authority), ("", browse), ("", self.unencrypted),
        ):  # fmt: skip
            form.addRow(text, field)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setStyleSheet(edged(ERROR))
        self.message.hide()
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self.save_button = buttons.button(QDialogButtonBox.StandardButton.Save)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        self.own_title.setText(OWN_AE_TITLE)
        self.setMinimumWidth(460)
        if archive is not None:
            self._show(archive)

    def _show(self, archive: Archive) -> None:
        self.name.setText(archive.name)
        self.url.setText(archive.url)
        self.title.setText(archive.ae_title)
        self.host.setText(archive.host)
        self.port.setText(str(archive.port or ""))
        self.own_title.setText(archive.own_ae_title)
        self.listen.setText(str(archive.listen or ""))
        self.user.setText(archive.user)
        self.authority.setText(archive.authority)
        self.tls.setChecked(archive.tls)
        self.unencrypted.setChecked(archive.unencrypted)

    def _choose_authority(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Certificate of the authority", "", "PEM (*.pem *.crt)")
        if file:
            self.authority.setText(file)

    def _save(self) -> None:
        try:
            archive = Archive(
                name=self.name.text().strip(),
                url=self.url.text().strip(),
                host=self.host.text().strip(),
                port=_number(self.port),
                ae_title=self.title.text().strip(),
                own_ae_title=self.own_title.text().strip(),
                listen=_number(self.listen),
                tls=self.tls.isChecked(),
                authority=self.authority.text().strip(),
                user=self.user.text().strip(),
                unencrypted=self.unencrypted.isChecked(),
            )
            archive.check_encrypted()
        except ArgumentError as error:
            self._refuse(error.detail)
            return
        except ArchiveError:
            self._refuse("The connection would not be encrypted: use https:// or TLS, or allow it below.")
            return
        self.kept.emit(archive, self.password.text())
        self.accept()

    def _refuse(self, why: str) -> None:
        self.message.setText(why)
        self.message.show()


def _field(hint: str) -> QLineEdit:
    field = QLineEdit()
    field.setToolTip(hint)
    field.setPlaceholderText(hint.partition(";")[0])
    return field


def _number(field: QLineEdit) -> int:
    typed = field.text().strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= _LONGEST_PORT else 0
