package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.jcraft.jsch.JSch;
import com.jcraft.jsch.KeyPair;
import dev.caravan.testing.OpenSshServer;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestCaravan.Job;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Logging in, and being refused. */
class SftpLoginTest {

  private static final String ROW = "id,name\n1,one\n";

  @TempDir Path folder;

  private final TestDatabase database = TestDatabase.create();

  @Test
  void logsInToOpenSshWithEveryKindOfKeyWithAndWithoutPassphrase() throws Exception {
    assumeTrue(OpenSshServer.isInstalled());
    try (OpenSshServer server = OpenSshServer.start(Files.createDirectory(folder.resolve("ssh")))) {
      List<String> projects = new ArrayList<>();
      for (String type : List.of("ed25519", "rsa", "ecdsa")) {
        for (String passphrase : List.of("", "open sesame")) {
          String name = type + passphrase.length();
          Path exports = Files.createDirectory(folder.resolve(name));
          Files.writeString(exports.resolve(name + ".csv"), ROW);
          Map<String, String> login = server.login(server.authorizedKey(type, passphrase), exports);
          if (!passphrase.isEmpty()) {
            login.put("key_passphrase", passphrase);
          }
          projects.add(TestCaravan.project(name, name, login));
        }
      }
      try (TestCaravan caravan =
          TestCaravan.start(database, folder, projects.toArray(String[]::new))) {
        for (String name : List.of("ed255190", "ed2551911", "rsa0", "rsa11", "ecdsa0", "ecdsa11")) {
          assertThat(caravan.awaitEnd(name + ".csv").state()).as(name).isEqualTo("completed");
          assertThat(caravan.rows(name)).isEqualTo(1);
          await().until(() -> Files.exists(folder.resolve(name + "/.done/" + name + ".csv")));
        }
      }
    }
  }

  @Test
  void logsInToMinaWithPasswordAndKeysInPemFormat() throws Exception {
    try (UnrulySftpServer server = UnrulySftpServer.start(folder.resolve("mina"))) {
      Map<String, String> byRsa = server.login();
      byRsa.remove("password");
      byRsa.put("key_path", newKey("rsa", KeyPair.RSA, 3072, server, null).toString());
      byRsa.put("remote_path", "/rsa");
      Map<String, String> byEcdsa = server.login();
      byEcdsa.remove("password");
      byEcdsa.put("key_path", newKey("ecdsa", KeyPair.ECDSA, 256, server, "sesame").toString());
      byEcdsa.put("key_passphrase", "sesame");
      byEcdsa.put("remote_path", "/ecdsa");
      for (String name : List.of("export", "rsa", "ecdsa")) {
        Path exports = Files.createDirectories(folder.resolve("mina").resolve(name));
        Files.writeString(exports.resolve(name + ".csv"), ROW);
      }
      try (TestCaravan caravan =
          TestCaravan.start(
              database,
              folder,
              TestCaravan.project("password", "t1", server.login()),
              TestCaravan.project("rsa", "t2", byRsa),
              TestCaravan.project("ecdsa", "t3", byEcdsa))) {
        for (String name : List.of("export", "rsa", "ecdsa")) {
          assertThat(caravan.awaitEnd(name + ".csv").state()).as(name).isEqualTo("completed");
        }
      }
    }
  }

  /** Made by JSch, so that this runs without OpenSSH. */
  private Path newKey(String name, int type, int bits, UnrulySftpServer server, String passphrase)
      throws Exception {
    KeyPair pair = KeyPair.genKeyPair(new JSch(), type, bits);
    Path file = folder.resolve(name + ".pem");
    if (passphrase == null) {
      pair.writePrivateKey(file.toString());
    } else {
      pair.writePrivateKey(
          file.toString(), passphrase.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    byte[] blob = pair.getPublicKeyBlob();
    if (server != null) {
      server.authorize(pair.getKeyTypeString() + " " + Base64.getEncoder().encodeToString(blob));
    }
    return file;
  }

  @Test
  void namesWhyAServerCannotBePolledAndDoesNotTryAPasswordAgain() throws Exception {
    try (UnrulySftpServer server = UnrulySftpServer.start(folder.resolve("mina"));
        UnrulySftpServer other = UnrulySftpServer.start(folder.resolve("other"))) {
      Map<String, String> wrongHostKey = server.login();
      wrongHostKey.put("host_key", other.hostKey());
      Map<String, String> unknownHostKey = server.login();
      unknownHostKey.remove("host_key");
      Path empty = Files.createFile(folder.resolve("known_hosts"));
      unknownHostKey.put("known_hosts", empty.toString());
      Map<String, String> wrongPassword = other.login();
      wrongPassword.put("password", "wr0ng-of-the-test");
      Map<String, String> unknownKey = server.login();
      unknownKey.remove("password");
      unknownKey.put("key_path", newKey("stranger", KeyPair.RSA, 2048, null, null).toString());
      Map<String, String> noFolder = server.login();
      noFolder.put("remote_path", "/nowhere");
      try (TestCaravan caravan =
          TestCaravan.start(
              database,
              folder,
              TestCaravan.project("wrong-host-key", "t", wrongHostKey),
              TestCaravan.project("unknown-host-key", "t", unknownHostKey),
              TestCaravan.project("wrong-password", "t", wrongPassword),
              TestCaravan.project("unknown-key", "t", unknownKey),
              TestCaravan.project("no-folder", "t", noFolder))) {
        assertFailedPoll(caravan, "wrong-host-key", "HOST_KEY", "host key");
        assertFailedPoll(caravan, "unknown-host-key", "HOST_KEY", "host key");
        assertFailedPoll(caravan, "wrong-password", "AUTH_FAILED", "refused");
        assertFailedPoll(caravan, "unknown-key", "AUTH_FAILED", "refused");
        assertFailedPoll(caravan, "no-folder", "SOURCE_GONE", "nowhere");
        await()
            .during(Duration.ofSeconds(5))
            .atMost(Duration.ofSeconds(7))
            .until(() -> other.passwordAttempts() == 1 && caravan.jobs().size() == 5);
      }
    }
  }

  private static void assertFailedPoll(
      TestCaravan caravan, String project, String code, String says) {
    Job job = caravan.awaitFailedPoll(project);
    assertThat(job.code()).as(project + ": " + job.message()).isEqualTo(code);
    assertThat(job.message())
        .contains("127.0.0.1", says)
        .doesNotContain(UnrulySftpServer.PASSWORD, "wr0ng-of-the-test");
  }

  @Test
  @SuppressWarnings("deprecation") // that is what is refused
  void refusesServersThatOfferOnlyBrokenAlgorithms() throws Exception {
    try (UnrulySftpServer sha1 =
            UnrulySftpServer.start(
                folder.resolve("sha1"),
                KeyPairProvider.SSH_RSA,
                2048,
                s -> s.setSignatureFactories(List.of(BuiltinSignatures.rsa)));
        UnrulySftpServer cbc =
            UnrulySftpServer.start(
                folder.resolve("cbc"),
                KeyPairProvider.ECDSA_SHA2_NISTP256,
                256,
                s -> s.setCipherFactories(List.of(BuiltinCiphers.aes128cbc)));
        TestCaravan caravan =
            TestCaravan.start(
                database,
                folder,
                TestCaravan.project("sha1", "t", sha1.login()),
                TestCaravan.project("cbc", "t", cbc.login()))) {
      assertFailedPoll(caravan, "sha1", "SSH_ALGORITHMS", "algorithm");
      assertFailedPoll(caravan, "cbc", "SSH_ALGORITHMS", "algorithm");
    }
  }

  @Test
  void pollsAServerAgainThatWasDown() throws Exception {
    try (UnrulySftpServer server = UnrulySftpServer.start(folder.resolve("mina"))) {
      server.down();
      server.put("a.csv", ROW);
      try (TestCaravan caravan =
          TestCaravan.start(database, folder, TestCaravan.project("p", "t", server.login()))) {
        assertFailedPoll(caravan, "p", "SOURCE_UNAVAILABLE", "Cannot connect");
        server.up();
        assertThat(caravan.awaitEnd("a.csv").state()).isEqualTo("completed");
        assertThat(caravan.jobs()).hasSize(2);
      }
    }
  }
}
