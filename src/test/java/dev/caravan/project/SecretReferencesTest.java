package dev.caravan.project;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretReferencesTest {

  @TempDir Path folder;

  private final ProjectConfigReader reader =
      new ProjectConfigReader(Map.of("ABC_PASSWORD", "hunter2", "EMPTY", ""));

  private Path project(String password) throws IOException {
    return Files.writeString(
        folder.resolve("abc.yaml"),
        ProjectTexts.MINIMAL + "sftp: {host: h, username: u, password: '" + password + "'}\n");
  }

  private String passwordOf(Path project) {
    return reader.read(project).sftp().server().orElseThrow().password().orElseThrow();
  }

  private String problemOf(Path project) {
    CaravanException failure =
        catchThrowableOfType(CaravanException.class, () -> reader.read(project));
    assertThat(failure.code()).isEqualTo(FailureCode.CONFIG_INVALID);
    return failure.getMessage();
  }

  @Test
  void takesAPasswordFromTheEnvironment() throws Exception {
    assertThat(passwordOf(project("${env:ABC_PASSWORD}"))).isEqualTo("hunter2");
  }

  @ParameterizedTest
  @ValueSource(strings = {" hunter 2 ", " hunter 2 \n", " hunter 2 \r\n"})
  void takesAPasswordFromAFileWithoutItsLineEnd(String content) throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), content);

    assertThat(passwordOf(project("${file:" + secret + "}"))).isEqualTo(" hunter 2 ");
  }

  @Test
  void takesThePassphraseOfAKeyInTheSameWay() throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("abc.yaml"),
            ProjectTexts.MINIMAL
                + "sftp: {host: h, username: u, key_path: k, key_passphrase: '${env:ABC_PASSWORD}'}\n");

    assertThat(reader.read(file).sftp().server().orElseThrow().keyPassphrase()).hasValue("hunter2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "$env:ABC_PASSWORD", "x${env:ABC_PASSWORD}", "${}", "{{x}}"})
  void leavesOtherPasswordsAlone(String password) throws Exception {
    assertThat(passwordOf(project(password))).isEqualTo(password);
  }

  @ParameterizedTest
  @ValueSource(strings = {"NOT_THERE", "EMPTY"})
  void namesTheKeyAndTheVariableThatIsMissing(String variable) throws Exception {
    Path project = project("${env:" + variable + "}");

    assertThat(problemOf(project))
        .isEqualTo(
            project
                + ": sftp.password: the environment variable \""
                + variable
                + "\" is not set or is empty; allowed: the secret itself, ${env:NAME} or ${file:/path}");
  }

  @Test
  void namesTheKeyAndTheFileThatIsMissing() throws Exception {
    Path missing = folder.resolve("missing");

    assertThat(problemOf(project("${file:" + missing + "}")))
        .contains(": sftp.password: the file ", "missing\" is empty, cannot be read");
    assertThat(problemOf(project("${file:relative}"))).contains("named by its full path");
  }

  @Test
  void refusesAFileThatIsTooLargeToBeASecret() throws Exception {
    Path large = Files.writeString(folder.resolve("large"), "x".repeat(65_537));

    assertThat(problemOf(project("${file:" + large + "}"))).contains("larger than 65536 bytes");
  }

  @Test
  void refusesAReferenceOfAnotherKind() throws Exception {
    assertThat(problemOf(project("${vault:abc}")))
        .endsWith(
            ": sftp.password: found a reference of another kind; allowed: the secret itself, ${env:NAME} or ${file:/path}");
  }

  @Test
  void refusesReferencesInATextThatSomebodySent() throws Exception {
    String text = Files.readString(project("${env:ABC_PASSWORD}"));

    assertThat(catchThrowableOfType(CaravanException.class, () -> reader.read(text, "request")))
        .hasMessage(
            "request: sftp.password: found a reference; allowed: the secret itself, for only project files of the operator may refer to others");
  }

  @Test
  void showsNoSecretInTheTextOfAConfig() throws Exception {
    ProjectConfig config = reader.read(project("${env:ABC_PASSWORD}"));

    assertThat(config.toString())
        .contains("u@h:22, password=***, keyPath=Optional.empty, keyPassphrase=none")
        .doesNotContain("hunter2");
  }
}
