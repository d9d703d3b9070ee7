// What pages say of second factors.
export const factors = {
  factorTitle: 'One more step',
  factorMeans: 'To go on as {person}, show with a second factor that it is you.',
  factorUsePasskey: 'Use a passkey',
  factorCode: 'The six digits that your authenticator application shows',
  factorUseRecovery: 'Use a recovery code',
  factorRecoveryCode: 'One of the recovery codes that you have kept',
  factorLost: 'Is none of this at hand? An administrator of your organization can reset your second factors.',
  factorWrong: 'That code is not right. Look at it again, or wait for the next one.',
  factorUsed: 'That code was used already. Wait for the next one.',
  factorLocked: 'There were too many wrong codes. Wait a quarter of an hour or more, or use something else.',
  factorPasskeyStopped: 'The passkey was not accepted. Try again, or use something else.',
  factorNeeded: 'A second factor is needed',
  factorNeededMeans:
    'Your organization, or the application, wants more than one proof that it is you. Choose what you set up.',
  factorEnrolTotp: 'Set up an authenticator application',
  factorEnrolPasskey: 'Set up a passkey',
  factorTotpMeans: 'Scan this picture with an authenticator application, then enter the six digits that it shows.',
  factorPicture: 'A picture that authenticator applications read',
  factorSecret: 'Or enter this key there:',
  factorPasskeyMeans:
    'Your device keeps the passkey, and asks you for your finger, your face or its code when you use it.',
  factorName: 'What you call this device, if you like',
  factorNeedsScript: 'This browser has no passkeys, or its scripts are turned off. Use another browser or device.',
  factorRecoveryTitle: 'Keep these recovery codes',
  factorRecoveryMeans: 'If you lose your second factor, each of these lets you in once. They are not shown again.',
  factorRecoveryKept: 'I have kept them',
};
