package dev.caravan.secret;

import com.google.crypto.tink.AccessesPartialKey;
import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.Key;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkJsonProtoKeysetFormat;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.AesGcmKey;
import com.google.crypto.tink.aead.AesGcmParameters;
import com.google.crypto.tink.aead.AesGcmParameters.Variant;
import com.google.crypto.tink.util.SecretBytes;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Encrypts with AES-256-GCM and the first of the operator's keys, decrypts with any. What is
 * encrypted says which key it needs, and is bound to its place: moved elsewhere it is noise.
 */
public final class Secrets {

  private static final int KEY_BYTES = 32;

  /** Tink's prefix: a version and the id of the key. */
  private static final int PREFIX_BYTES = 5;

  private final Aead aead;
  private final Set<String> keys = new TreeSet<>();

  /** Whose it is, and which of the owner's. */
  public record Place(String tenant, UUID owner, String field) {
    private byte[] bytes() {
      return String.join("\0", tenant, owner.toString(), field).getBytes(StandardCharsets.UTF_8);
    }
  }

  private Secrets(KeysetHandle handle) throws GeneralSecurityException {
    for (int i = 0; i < handle.size(); i++) {
      keys.add(HexFormat.of().toHexDigits(handle.getAt(i).getId()));
    }
    aead = handle.getPrimitive(RegistryConfiguration.get(), Aead.class);
  }

  private Secrets() {
    aead = null;
  }

  /** Without a key: nothing can be kept. */
  public static Secrets none() {
    return new Secrets();
  }

  /**
   * Reads the keys.
   *
   * @param setting a keyset of Tink in JSON, or keys of 32 bytes in Base64 with commas between, of
   *     which the first encrypts
   * @throws CaravanException CONFIG_INVALID when it is neither
   */
  public static Secrets of(String setting) {
    try {
      AeadConfig.register();
      return new Secrets(
          setting.startsWith("{")
              ? TinkJsonProtoKeysetFormat.parseKeyset(
                  setting, RegistryConfiguration.get(), InsecureSecretKeyAccess.get())
              : keyset(setting));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      // Without the cause, which may quote the setting.
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "found something else; allowed is a keyset of Tink in JSON, or 32 random bytes in Base64, or several of these with commas between");
    }
  }

  private static KeysetHandle keyset(String setting) throws GeneralSecurityException {
    List<Key> keys = new ArrayList<>();
    for (String text : setting.split(",", -1)) {
      keys.add(key(Base64.getDecoder().decode(text.strip())));
    }
    KeysetHandle.Builder builder = KeysetHandle.newBuilder();
    for (int i = 0; i < keys.size(); i++) {
      KeysetHandle.Builder.Entry entry = KeysetHandle.importKey(keys.get(i));
      builder.addEntry(i == 0 ? entry.makePrimary() : entry);
    }
    return builder.build();
  }

  /** The id is made of the key, so that it is the same wherever the key is used. */
  @AccessesPartialKey
  private static Key key(byte[] bytes) throws GeneralSecurityException {
    if (bytes.length != KEY_BYTES) {
      throw new GeneralSecurityException("a key has 32 bytes");
    }
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
    int id = ByteBuffer.wrap(hash).getInt() & Integer.MAX_VALUE;
    return AesGcmKey.builder()
        .setParameters(
            AesGcmParameters.builder()
                .setKeySizeBytes(KEY_BYTES)
                .setIvSizeBytes(12)
                .setTagSizeBytes(16)
                .setVariant(Variant.TINK)
                .build())
        .setKeyBytes(SecretBytes.copyFrom(bytes, InsecureSecretKeyAccess.get()))
        .setIdRequirement(id == 0 ? 1 : id)
        .build();
  }

  /** A new key, as a setting. */
  public static String newKey() {
    byte[] bytes = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(bytes);
    return Base64.getEncoder().encodeToString(bytes);
  }

  /** False without a key. */
  public boolean canEncrypt() {
    return aead != null;
  }

  /** The secret as it can be kept. */
  public byte[] encrypt(String secret, Place place) {
    try {
      return aead.encrypt(secret.getBytes(StandardCharsets.UTF_8), place.bytes());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-GCM is part of Java", e);
    }
  }

  /**
   * The secret itself.
   *
   * @throws CaravanException SECRET_UNREADABLE when the key is another one or the bytes are not
   *     those that were encrypted for the place
   */
  public String decrypt(byte[] encrypted, Place place) {
    String key = keyId(encrypted);
    if (!keys.contains(key)) {
      throw new CaravanException(
          FailureCode.SECRET_UNREADABLE,
          "caravan.secrets.key: the key with the id %s is missing; without it what is stored cannot be read. Given are %s."
              .formatted(key, keys));
    }
    try {
      return new String(aead.decrypt(encrypted, place.bytes()), StandardCharsets.UTF_8);
    } catch (GeneralSecurityException e) {
      throw new CaravanException(
          FailureCode.SECRET_UNREADABLE,
          "caravan.secrets.key: the key with the id %s does not open %s of %s: it is another key, or the row was changed."
              .formatted(key, place.field(), place.owner()),
          e);
    }
  }

  private static String keyId(byte[] encrypted) {
    return encrypted.length < PREFIX_BYTES
        ? "none"
        : HexFormat.of().toHexDigits(ByteBuffer.wrap(encrypted, 1, 4).getInt());
  }

  /** Without keys. */
  @Override
  public String toString() {
    return "Secrets" + keys;
  }
}
