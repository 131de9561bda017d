package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Iterator;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.io.resource.PathResource;
import org.apache.sshd.common.util.security.SecurityUtils;

/**
 * The key by which clients know the embedded SFTP server, in a file of OpenSSH's format.
 *
 * <p>It is ECDSA: for Ed25519 MINA 2.19 wants a cryptography library beside the JDK's.
 */
final class HostKey {

  private HostKey() {}

  /**
   * The key of the file, which is made, for its owner only, when it does not exist. A file that
   * holds no key is refused and not replaced: clients trust the key that it held.
   */
  static KeyPair loadOrCreate(Path file) throws IOException {
    try {
      if (Files.notExists(file)) {
        create(file);
      }
      return load(file);
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw unreadable(file, e);
    }
  }

  private static KeyPair load(Path file) throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(file)) {
      Iterable<KeyPair> keys =
          SecurityUtils.loadKeyPairIdentities(null, new PathResource(file), in, null);
      Iterator<KeyPair> key = keys == null ? null : keys.iterator();
      if (key == null || !key.hasNext()) {
        throw unreadable(file, null);
      }
      return key.next();
    }
  }

  /** Written aside and moved into place, so that a kill leaves no half of a key. */
  private static void create(Path file) throws IOException, GeneralSecurityException {
    KeyPair key = KeyUtils.generateKeyPair(KeyPairProvider.ECDSA_SHA2_NISTP256, 256);
    Files.createDirectories(file.toAbsolutePath().getParent());
    Path unfinished = file.resolveSibling(file.getFileName() + ".unfinished");
    Files.deleteIfExists(unfinished);
    DataDirectory.createPrivateFile(unfinished);
    try (OutputStream out =
        Files.newOutputStream(unfinished, StandardOpenOption.WRITE, StandardOpenOption.SYNC)) {
      OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(key, "caravan", null, out);
    }
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static CaravanException unreadable(Path file, Exception cause) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "%s holds no private key that can be read. ".formatted(file)
            + "Put the server's host key back, or delete the file for a new one, "
            + "which every client must then trust anew.",
        cause);
  }
}
