/** The form of a person who is not signed in. */

import { useState } from "preact/hooks";
import type { Challenge, Session } from "../data/sign-in";

interface Props {
  readonly session: Session;
  /** Why a session that there was is over; null where there was none. */
  readonly ended: string | null;
  readonly onIn: () => void;
}

export function SignIn({ session, ended, onIn }: Props) {
  const [wrong, setWrong] = useState(ended);
  const [busy, setBusy] = useState(false);
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget as HTMLFormElement);
    const user = String(said.get("user") ?? "");
    const password = String(said.get("password") ?? "");
    setBusy(true);
    setWrong(null);
    try {
      if (challenge !== null) {
        await session.setPassword(challenge, password);
      } else {
        const wanted = await session.signIn(user, password);
        if (wanted !== null) {
          setChallenge(wanted);
          return;
        }
      }
      onIn();
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="sign-in" onSubmit={submit}>
      <h2 tabIndex={-1}>{challenge === null ? "Sign in" : "Choose a password of your own"}</h2>
      {challenge === null ? (
        <label>
          E-mail
          <input name="user" type="email" autocomplete="username" required />
        </label>
      ) : null}
      <label key={challenge === null ? "old" : "new"}>
        {challenge === null ? "Password" : "New password"}
        <input
          name="password"
          type="password"
          autocomplete={challenge === null ? "current-password" : "new-password"}
          required
        />
      </label>
      {wrong === null ? null : <p role="alert">{wrong}</p>}
      <button type="submit" disabled={busy}>
        {challenge === null ? "Sign in" : "Go on"}
      </button>
    </form>
  );
}
